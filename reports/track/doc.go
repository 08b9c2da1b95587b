// Package track holds a run that is under way against its plan. A [Plan] is what a document of the
// command plan says of a run, a [Log] what the run has recorded so far; [Question.Answer] says how far
// it is, how fast, what it has cost and will cost, when it ends, where its loss is going, and whether
// all of that is still the plan.
//
// Nothing of it reads a clock: what time it is is part of the question, or the last time in the log.
package track
