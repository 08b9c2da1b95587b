// Package isa says which vector instructions the training kernel may use on this machine.
//
// A Path is one family of assembly routines. Every routine of the kernel exists on the Generic path
// in plain Go, which is the only path on processors other than amd64 and under the build tag
// purego.
package isa
