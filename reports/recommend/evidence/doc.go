// Package evidence says how good shapes are that nobody trained, by runs that somebody did.
//
// [Basis.Judge] picks the judge of some candidates: a law or [Record]s of the caller's own, for
// fine-tuned encoder-decoders the points and tables of Tay et al. 2021 (arXiv 2109.10686), for
// budgets of decoder-only models the published laws of their kind. Every judge returns a [Judgement]
// with an interval, and whoever compares shapes need not ask which it was. Evidence of one kind of
// model is never applied to another: where nothing covers the candidates, the judge is silent.
//
// [Validate] scores rankings on held-out groups of recorded runs, [SecondOpinions] says how other
// published sets order their models, and [Opinions] what each published law says.
package evidence
