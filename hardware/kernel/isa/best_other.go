//go:build !amd64 || purego

package isa

func best() Path { return Generic }
