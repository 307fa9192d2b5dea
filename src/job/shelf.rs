//! The counts of a corpus: in memory while there is room, then in a file of the run that goes with it.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::ops::Range;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use rayon::FnContext;
use rayon::prelude::*;

use crate::error::{Error, Result};
use crate::text::counts::ShardCounts;

/// Bytes of counts that lie in memory: those of some 100 MB of text.
const ROOM: usize = 192 << 20;

/// Takes the counts of shards, from any thread and in any order.
pub(super) struct Shelf {
    folder: PathBuf,
    store: Mutex<Store>,
}

#[derive(Default)]
struct Store {
    held: usize,
    file: Option<File>,
    /// Bytes in the file.
    end: u64,
}

/// Where the counts of a shard are.
pub(super) enum Place {
    Held(Box<ShardCounts>),
    /// From here on in the file, and how many bytes.
    Stored(u64, usize),
}

/// The counts of all shards in order, with the numbers of their documents.
pub(super) struct Shards {
    shelf: Shelf,
    places: Vec<(Range<usize>, Place)>,
}

impl Shelf {
    /// A shelf whose file, where there must be one, lies in `folder`.
    pub fn new(folder: PathBuf) -> Self {
        Self { folder, store: Mutex::default() }
    }

    /// Puts counts in their place.
    pub fn put(&self, counts: ShardCounts) -> Result<Place> {
        let mut store = self.store.lock().unwrap_or_else(PoisonError::into_inner);
        if store.file.is_none() && store.held + counts.bytes() <= ROOM {
            store.held += counts.bytes();
            return Ok(Place::Held(Box::new(counts)));
        }
        drop(store);
        let write = || {
            let bytes = postcard::to_stdvec(&counts).map_err(io::Error::other)?;
            let mut store = self.store.lock().unwrap_or_else(PoisonError::into_inner);
            let Store { file, end, .. } = &mut *store;
            let file = match file {
                Some(file) => file,
                None => file.insert(tempfile::tempfile_in(&self.folder)?),
            };
            let at = *end;
            file.seek(SeekFrom::Start(at))?;
            file.write_all(&bytes)?;
            *end += bytes.len() as u64;
            Ok(Place::Stored(at, bytes.len()))
        };
        write().map_err(|error| Error::io("keep the counts of a large corpus in", &self.folder, error))
    }

    fn get<'a>(&'a self, place: &'a Place) -> Result<Cow<'a, ShardCounts>> {
        let &(at, len) = match place {
            Place::Held(counts) => return Ok(Cow::Borrowed(counts)),
            Place::Stored(at, len) => &(*at, *len),
        };
        let read = || {
            let mut bytes = vec![0; len];
            let mut store = self.store.lock().unwrap_or_else(PoisonError::into_inner);
            let file = store.file.as_mut().ok_or_else(|| io::Error::other("the file is gone"))?;
            file.seek(SeekFrom::Start(at))?;
            file.read_exact(&mut bytes)?;
            drop(store);
            postcard::from_bytes(&bytes).map(Cow::Owned).map_err(io::Error::other)
        };
        read().map_err(|error| Error::io("read the counts of a large corpus in", &self.folder, error))
    }
}

impl Shards {
    /// The shards in their order.
    pub fn new(shelf: Shelf, places: Vec<(Range<usize>, Place)>) -> Self {
        Self { shelf, places }
    }

    /// Shards that stay in memory.
    pub fn held(shards: Vec<(Range<usize>, ShardCounts)>) -> Self {
        let held = |(range, counts)| (range, Place::Held(Box::new(counts)));
        Self::new(Shelf::new(PathBuf::new()), shards.into_iter().map(held).collect())
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// The numbers of the documents of each shard.
    pub fn ranges(&self) -> impl Iterator<Item = Range<usize>> {
        self.places.iter().map(|(range, _)| range.clone())
    }

    /// The counts of a shard.
    pub fn get(&self, shard: usize) -> Result<Cow<'_, ShardCounts>> {
        self.places.get(shard).map_or_else(|| Ok(Cow::default()), |(_, place)| self.shelf.get(place))
    }

    /// Hands all shards to `each` in their order.
    pub fn each(&self, each: &mut dyn FnMut(&ShardCounts)) -> Result<()> {
        self.places.iter().try_for_each(|(_, place)| {
            each(&*self.shelf.get(place)?);
            Ok(())
        })
    }

    /// Adds all shards up, each with whether it lies in memory. Adding must be associative: the sum then does not depend on how many
    /// threads there are.
    pub fn sum<T: Default + Send>(
        &self,
        add: impl Fn(&mut T, &ShardCounts, bool) + Sync,
        merge: impl Fn(&mut T, T) + Sync,
    ) -> Result<T> {
        let mut sum = T::default();
        let share = self.places.len().div_ceil(rayon::current_num_threads().max(1));
        self.add_up(&self.places, share, &mut sum, &add, &merge)?;
        Ok(sum)
    }

    /// Adds the shards at `places` to `sum`. A thread that has nothing else to do adds half of them to a sum of its own, which is
    /// merged, unless that is less than its `share`; where none comes there is but one sum.
    fn add_up<T: Default + Send>(
        &self,
        places: &[(Range<usize>, Place)],
        share: usize,
        sum: &mut T,
        add: &(impl Fn(&mut T, &ShardCounts, bool) + Sync),
        merge: &(impl Fn(&mut T, T) + Sync),
    ) -> Result<()> {
        let (first, second) = places.split_at(places.len() / 2);
        if second.len() < share.max(1) || first.is_empty() {
            return places.iter().try_for_each(|(_, place)| {
                let shard = self.shelf.get(place)?;
                add(sum, &shard, matches!(shard, Cow::Borrowed(_)));
                Ok(())
            });
        }
        let elsewhere = |context: FnContext| {
            let mut other = T::default();
            context.migrated().then(|| self.add_up(second, share, &mut other, add, merge).map(|()| other))
        };
        let (here, there) = rayon::join_context(|_| self.add_up(first, share, sum, add, merge), elsewhere);
        here?;
        match there {
            Some(other) => merge(sum, other?),
            None => self.add_up(second, share, sum, add, merge)?,
        }
        Ok(())
    }

    /// Does `work` with all shards, some of them at once, and hands what comes of it to `each` in their order.
    pub fn in_order<T: Send>(
        &self,
        work: impl Fn(Range<usize>, &ShardCounts) -> Result<T> + Sync,
        mut each: impl FnMut(T),
    ) -> Result<()> {
        // No more results wait than there are threads: those of a large shard are large. The batches change no result.
        for batch in self.places.chunks(rayon::current_num_threads().max(1)) {
            let done: Vec<Result<T>> = batch
                .par_iter()
                .map(|(range, place)| work(range.clone(), &*self.shelf.get(place)?))
                .collect();
            for result in done {
                each(result?);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::counts::{CountSettings, count_shard};
    use crate::text::tokens::{TokenSettings, Tokenizer};

    #[test]
    fn counts_in_the_file_are_those_that_were_put() {
        let tokenizer = Tokenizer::new(&TokenSettings::default()).unwrap();
        let counts: Vec<ShardCounts> = (0..40)
            .map(|i| {
                count_shard(&tokenizer, CountSettings::default(), [format!("a{i} b a{i} c"), String::new()])
            })
            .collect::<std::result::Result<_, _>>()
            .unwrap();
        let folder = tempfile::tempdir().unwrap();
        for room in [true, false] {
            let shelf = Shelf::new(folder.path().to_owned());
            shelf.store.lock().unwrap().held = if room { 0 } else { ROOM };
            let places =
                counts.iter().enumerate().map(|(i, c)| (i..i + 1, shelf.put(c.clone()).unwrap())).collect();
            let shards = Shards::new(shelf, places);
            assert_eq!(shards.len(), 40);
            let mut found = Vec::new();
            shards
                .in_order(|range, counts| Ok((range.start, counts.clone())), |one| found.push(one))
                .unwrap();
            assert!(found.into_iter().eq(counts.iter().cloned().enumerate()));
            assert_eq!(*shards.get(7).unwrap(), counts[7]);
        }
    }
}
