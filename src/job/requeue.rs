//! Inputs in quarantine that are to be tried again: what is known of them is forgotten, so that the next run reads them anew.

use std::collections::HashSet;

use super::content::Content;
use super::counting::counting_settings;
use super::desk::at_rest;
use super::folder::JobFolder;
use super::inputs::{self, Input, Inputs};
use super::inventory::Inventory;
use super::key::Key;
use super::ledger::{Entry, Ledger};
use super::plan::Plan;
use super::run::run_key;
use super::sound::{clip_key, clips_key};
use super::store::Store;
use super::words::{WordKeys, kept_model};
use crate::corpus::Stamp;
use crate::error::{Error, Result};

/// Forgets what is known of the quarantined inputs of the job's last run: those with a source in `sources` or a code in
/// `codes`, or all where both are empty. Gives their sources. The next run tries them again.
///
/// # Errors
/// [`Error::Busy`] while the job runs, [`Error::NothingToDo`] where nothing in quarantine has such a source or code.
pub fn requeue(plan: &Plan, sources: &[String], codes: &[String]) -> Result<Vec<String>> {
    let job = JobFolder::open(&plan.output, &plan.file.job.name)?;
    let ledger = Ledger::read(job.store()).unwrap_or_default();
    let among = |list: &[String], name: &str| list.iter().any(|known| known == name);
    let asked = |entry: &&Entry<'_>| {
        entry.quarantined.as_ref().is_some_and(|code| {
            (sources.is_empty() && codes.is_empty()) || among(sources, &entry.source) || among(codes, code)
        })
    };
    let chosen: HashSet<&str> =
        ledger.documents.iter().chain(&ledger.clips).filter(asked).map(|entry| &*entry.source).collect();
    if chosen.is_empty() {
        let message = "nothing in quarantine is meant: see the table quarantine of the last run";
        return Err(Error::NothingToDo(message.to_owned()));
    }
    let (store, inventory) = (Store::open(job.store()), Inventory::open(job.store(), false));
    let stamps = at_rest(plan, &store, &inventory, |desk| -> Result<HashSet<Stamp>> {
        let documents = plan.documents.as_ref().map(|plan| inputs::documents(plan, desk)).transpose()?;
        let clips = plan.clips.as_ref().map(|plan| inputs::clips(plan, desk)).transpose()?;
        let inputs = (documents, clips);
        let model = inputs.0.as_ref().and_then(|inputs| kept_model(plan.documents.as_ref()?, inputs, desk));
        let mut items: Vec<Key> = Vec::new();
        let mut wholes: Vec<Key> = run_key(plan, desk, &inputs, None).into_iter().collect();
        let mut stamps = HashSet::new();
        if let (Some(inputs), Some(documents)) = (&inputs.0, &plan.documents) {
            let settings = counting_settings(documents, desk, model.as_deref().unwrap_or_default());
            items.extend(keys_of(inputs, &chosen, |content| content.key(&settings)));
            let contents = inputs.contents();
            wholes.extend(
                contents.map(|contents| {
                    WordKeys::new(inputs, contents, model.as_deref(), desk.settings).documents
                }),
            );
            let references = inputs.references.iter();
            stamps.extend(references.filter(|r| chosen.contains(&*r.file.source)).map(|r| r.file.stamp));
        }
        if let Some(inputs) = &inputs.1 {
            items.extend(keys_of(inputs, &chosen, |content| clip_key(desk.settings, content)));
            wholes.extend(inputs.contents().map(|contents| clips_key(inputs, contents, desk.settings)));
            let references = inputs.references.iter();
            stamps.extend(references.filter(|r| chosen.contains(r.source.as_str())).map(|r| r.stamp));
        }
        store.forget_items(&items);
        for key in &wholes {
            store.forget(key);
        }
        Ok(stamps)
    })?;
    Inventory::forget(job.store(), |stamp| stamps.contains(stamp))
        .map_err(|error| Error::io("write", job.store(), error))?;
    let mut sources: Vec<String> = chosen.into_iter().map(str::to_owned).collect();
    sources.sort();
    Ok(sources)
}

fn keys_of<R: Input>(inputs: &Inputs<R>, chosen: &HashSet<&str>, key: impl Fn(&Content) -> Key) -> Vec<Key> {
    let chosen = inputs.references.iter().filter(|input| chosen.contains(input.names().1));
    chosen.filter_map(|input| Some(key(&input.content()?))).collect()
}
