// Package recommend turns a budget, or a shape to beat, into a table of Transformer shapes: what
// each costs on every axis, how good it will probably be, how sure that is, and what it saves.
//
// [Recommend] runs four steps. Candidates are an aligned lattice around the budget, the catalogue,
// both, or a list. Costs are those of package plan. Quality comes from a judge: the caller's own law
// or [Record]s, for fine-tuned encoder-decoders the points and tables of Tay et al. 2021 (arXiv
// 2109.10686), for budgets of decoder-only models the published laws of their kind. Evidence of one
// kind of model is never applied to another, and what nothing judges is not recommended. Selection
// keeps the Pareto fronts of costs and predicted quality, with ties inside the prediction error
// shown as ties, and picks a shape for each cost; it never asks where a [Judgement] comes from.
//
// [Protocol] says what one notch of each scaling operation changes, [SecondOpinions] how other
// published sets order their models, and [Validate] scores the ranking on held-out groups of
// recorded runs.
package recommend
