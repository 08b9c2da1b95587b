// Package recommend turns a budget, or a shape to beat, into a table of Transformer shapes: what
// each costs on every axis, how good it will probably be, how sure that is, and what it saves.
//
// [Recommend] runs four steps. Candidates are an aligned lattice around the budget, the catalogue,
// both, or a list. Costs are those of package plan. Quality comes from a judge of package evidence;
// what nothing judges is not recommended. Selection keeps the Pareto fronts of costs and predicted
// quality, with ties inside the prediction error shown as ties, and picks a shape for each cost; it
// never asks where a judgement comes from.
//
// [Protocol] says what one step of each scaling operation changes, and [SizeQuestion] which size a
// budget trains best.
package recommend
