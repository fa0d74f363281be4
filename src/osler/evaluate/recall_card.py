"""What is said about the recall forecasts beside their figures: the split, the notes, the model card."""

from __future__ import annotations

from osler.evaluate.report import CardText

SPLIT = (
    "Per learner all reviews in time order in six blocks; each of the last five is forecast by models trained on "
    "everything before it. Scored: reviews at least one local day after the item's last; figures are unweighted "
    "means over learners."
)
NOTES = (
    "Constants are those of the published models and of the science page, fixed before any run here; no constant was "
    "chosen by looking at test blocks.",
    "A learner's own parameters are accepted on held-back training reviews only; the guard's weight is learnt from "
    "reviews already past and has nothing to tune.",
    "What a refit does to the guard's weights was changed after looks at the figures of the five learners: carried on "
    ".3449, from held-back reviews .3440, even again .3440. The last failed a made learner who answers by coin; the "
    "fixed share of a tenth, served now, follows from the number of refits in a learner's life and was not varied.",
    "AUC pools a learner's five test blocks. The constant is one number in each: it tells no two reviews of a block "
    "apart, so its AUC is .5. Pooled it would rank the blocks, by constants that each know more of the past.",
)
CARD = CardText(
    name="recall",
    title="Recall: the chance to remember an item",
    question="How likely is it that this learner recalls this item now, or on a later day?",
    inputs="The item's earlier reviews: ratings (1 to 4), local days and instants between them. No content, no text, "
    "nothing about the person.",
    method="FSRS-6 and SBD, each with the learner's own parameters where at least 64 next-day reviews exist and the "
    "fit wins on the newest fifth of them (drawn towards the population's up to 1,000 reviews); mean logit, moved by "
    "an online bias (rate .02); mixed by Bayes' rule with the learner's running mean. On the day of the last review "
    "SBD alone.",
    choices="Constants come from the papers and the science page, fixed beforehand. Whether a learner gets own "
    "parameters is decided on held-back training reviews. The guard's form follows from a bound (its summed loss "
    "exceeds that of the running mean by at most ln 2 and .05 a refit), but what a refit does to its weights was "
    "changed after looks at these learners' figures, over a range of .0012; see the report's notes.",
    limits=(
        "The five learners at hand are few: ahead on these, no more; no p-value is given under 30 learners.",
        "Grades on another scale than stated (Hard for 'forgot', six grades read as four) spoil the forecasts; the "
        "report names what looks so.",
        "Of learners who come with SuperMemo grades default parameters lose to a constant: until an accepted fit the "
        "guard holds stored forecasts to the running mean, while curves and due days are the model's.",
        "Overdue recall is over-predicted as a rule: curves into the future carry a band that widens.",
    ),
    sources=(
        "FSRS: Ye, Su, Cao 2022 (KDD); py-fsrs 6.3.2; fsrs-rs.",
        "SBD: open-spaced-repetition/srs-benchmark, from its equations.",
        "Mixture of experts: Vovk 1990; DeSantis, Markowsky, Wegman 1988.",
    ),
)
