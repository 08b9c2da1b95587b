// Package plan answers one question: what does this shape cost to train on this machine? It is the
// only place that decides what a question leaves open (workload, precision, optimizer, attention,
// recompute, layout, length), lays the run out, and puts the models of flops and hardware together.
//
// A [Question] states what is known; [Question.Resolve] decides the rest and keeps every decision
// as an [Assumption]; [Question.Answer] adds counts, memory, step time, run and bill. A [Metric]
// reads one number off an answer. Commands, pages and the explorer render answers and compute
// nothing.
package plan
