//! "Did you mean": the known word nearest to an unknown one.

/// The nearest of `known` that is near enough to be a slip of the pen.
pub(super) fn near<'k>(word: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    let far = |candidate: &str| strsim::damerau_levenshtein(&folded(word), &folded(candidate));
    let ranked = known
        .into_iter()
        .map(|candidate| (far(candidate), candidate));
    let (distance, best) = ranked.min_by_key(|&(distance, _)| distance)?;
    let allowed = word.chars().count().max(3) / 3;
    (distance <= allowed).then_some(best)
}

fn folded(word: &str) -> String {
    word.to_lowercase().replace('_', "-")
}

/// `did you mean "copy-homes"?`, where something is near enough.
pub(super) fn did_you_mean<'k>(
    word: &str,
    known: impl IntoIterator<Item = &'k str>,
) -> Option<String> {
    near(word, known).map(|best| format!("did you mean `{best}`?"))
}
