// Package recommend turns a budget, or a shape to beat, into a table of Transformer shapes: what
// each costs on every axis, how good it will probably be, how sure that is, and what it saves.
//
// [Recommend] runs four steps. Candidates are an aligned lattice around the budget, the catalogue,
// or a list. Costs are exact parameters and FLOPs, the memory of the worst device, and predicted
// step time and money. Quality comes from the caller's own [Record]s, or for fine-tuned
// encoder-decoders from the shipped results of Tay et al. 2021 (arXiv 2109.10686); evidence of one
// kind of model is never applied to another. Selection keeps the Pareto front of the chosen cost
// and the predicted quality, with ties inside the prediction error shown as ties.
//
// [Protocol] says what one notch of each scaling operation changes, and [Validate] scores the
// ranking on held-out groups of recorded runs.
package recommend
