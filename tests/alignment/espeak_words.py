#!/usr/bin/env python3
"""Speech whose word times are known: espeak-ng speaks sentences and says by its events when each word begins.

    apt-get install espeak-ng
    python3 espeak_words.py FOLDER [SENTENCES.txt] [--voices en-us,en-gb,de] [--speeds 140,175,210]

Writes FOLDER/ID.wav, FOLDER/ID.txt and FOLDER/ID.ctm (word begins; a word ends where the next begins) for each sentence, in turn in one of
the voices and at one of the speeds (words a minute).
"""

import argparse
import ctypes
import struct
import wave
from pathlib import Path

AUDIO_OUTPUT_SYNCHRONOUS, CHARS_UTF8, EVENT_WORD, EVENT_END, RATE = 2, 1, 1, 5, 1

SENTENCES = """the bird is the word that everybody heard about this morning
he hoped there would be stew for dinner turnips and carrots and bruised potatoes and fat mutton pieces
stuff it into you his belly counselled him
after early nightfall the yellow lamps would light up here and there the squalid quarter of the brothels
number ten fresh nelly is waiting on you good night husband
the music came nearer and he recalled the words the words of a fragment upon the moon wandering companionless pale for weariness
a cold lucid indifference reigned in his soul
the chaos in which his ardour extinguished itself was a cold indifferent knowledge of himself
we looked at the old lighthouse from the window of a small and very quiet train
please send the second letter to my brother before friday because he leaves for canada at noon
scientists measured how quickly temperature changes when water evaporates from a surface
my sister bought seven green apples and a heavy bag of rice
it rained
nobody knew why the enormous committee postponed its decision again and again
can you tell me where the nearest railway station is
the captain shouted loudly but the sailors could not understand a single word
information about agricultural development is available in the university library
she sells sea shells by the sea shore
a big black dog barked at the bicycle
when the sun went down the children walked slowly home along the river""".splitlines()


class Event(ctypes.Structure):
    _fields_ = [
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", ctypes.c_char * 8),
    ]


CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(Event))


class Speaker:
    def __init__(self):
        self.library = ctypes.CDLL("libespeak-ng.so.1")
        self.rate = self.library.espeak_Initialize(AUDIO_OUTPUT_SYNCHRONOUS, 0, None, 0)
        self.samples, self.words = [], []
        self.callback = CALLBACK(self.collect)
        self.library.espeak_SetSynthCallback(self.callback)

    def collect(self, samples, count, events):
        if samples and count > 0:
            self.samples.extend(samples[:count])
        i = 0
        while events[i].type != 0:
            if events[i].type == EVENT_WORD:
                self.words.append((events[i].text_position - 1, events[i].length, events[i].audio_position / 1000))
            i += 1
        return 0

    def speak(self, text, voice, speed):
        self.samples, self.words = [], []
        self.library.espeak_SetVoiceByName(voice.encode())
        self.library.espeak_SetParameter(RATE, speed, 0)
        data = text.encode()
        self.library.espeak_Synth(data, len(data) + 1, 0, 1, 0, CHARS_UTF8, None, None)
        self.library.espeak_Synchronize()
        return self.samples, self.words


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("sentences", nargs="?", type=Path)
    parser.add_argument("--voices", default="en-us,en-gb")
    parser.add_argument("--speeds", default="140,175,210")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    lines = options.sentences.read_text().splitlines() if options.sentences else SENTENCES
    voices, speeds = options.voices.split(","), [int(speed) for speed in options.speeds.split(",")]
    speaker = Speaker()
    spoken = 0
    for number, line in enumerate(line.strip() for line in lines):
        words = line.split()
        samples, events = speaker.speak(line, voices[number % len(voices)], speeds[number // len(voices) % len(speeds)])
        # espeak-ng may say two words as one: only sentences where each word has its time are a reference.
        starts, at = {}, 0
        for word in words:
            starts[line.index(word, at)] = len(starts)
            at = line.index(word, at) + len(word)
        begins = [None] * len(words)
        for position, _, seconds in events:
            if position in starts:
                begins[starts[position]] = seconds
        if None in begins or not words:
            continue
        name = options.folder / f"s{number:04}"
        with wave.open(str(name.with_suffix(".wav")), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(speaker.rate)
            file.writeframes(struct.pack(f"<{len(samples)}h", *samples))
        name.with_suffix(".txt").write_text(line + "\n")
        ends = begins[1:] + [len(samples) / speaker.rate]
        rows = (f"{name.name} 1 {b:.3f} {e - b:.3f} {word}" for word, b, e in zip(words, begins, ends))
        name.with_suffix(".ctm").write_text("\n".join(rows) + "\n")
        spoken += 1
    print(f"{spoken} of {len(lines)} sentences in {options.folder}, {speaker.rate} Hz")


if __name__ == "__main__":
    main()
