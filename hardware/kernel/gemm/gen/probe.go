package main

import (
	"github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
)

// chains is how many independent sums the peak loop keeps in flight: more than the latency of a
// multiply-add (4 or 5 cycles) times its throughput (2 a cycle) needs, and few enough for sixteen
// registers.
const chains = 12

// probes generates the loops that measure what the machine can do.
func probes(c *build.Context) {
	for _, v := range []isa{avx2, avx512} {
		peak(c, v)
	}
	triad(c)
}

func peak(c *build.Context, v isa) {
	name := "multiplyAdd" + v.name
	c.Function(name)
	c.SignatureExpr("func(turns int)")
	c.Doc(name +
		" executes 12 independent multiply-adds of full registers a turn. There is at least one turn.")
	turns := c.Load(c.Param("turns"), c.GP64())
	for _, r := range v.registers[:chains+2] {
		v.zero(c, r)
	}
	x, y := v.registers[chains], v.registers[chains+1]
	c.Label("turn")
	for _, r := range v.registers[:chains] {
		c.VFMADD231PS(x, y, r)
	}
	c.DECQ(turns)
	c.JNZ(operand.LabelRef("turn"))
	c.VZEROUPPER()
	c.RET()
}

func triad(c *build.Context) {
	const unroll = 4
	v := avx2
	c.Function("triadAVX2")
	c.Pragma("noescape")
	c.SignatureExpr("func(a, b, c *float32, factor float32, turns int)")
	c.Doc("triadAVX2 computes a = b + factor·c for 32 elements a turn. There is at least one turn.")
	a := c.Load(c.Param("a"), c.GP64())
	b := c.Load(c.Param("b"), c.GP64())
	from := c.Load(c.Param("c"), c.GP64())
	turns := c.Load(c.Param("turns"), c.GP64())
	factor, err := c.Param("factor").Resolve()
	if err != nil {
		panic(err)
	}
	x := v.registers[unroll]
	c.VBROADCASTSS(factor.Addr, x)
	c.Label("turn")
	for i, r := range v.registers[:unroll] {
		c.VMOVUPS(at(b, i*v.width), r)
		c.VFMADD231PS(at(from, i*v.width), x, r)
		c.VMOVUPS(r, at(a, i*v.width))
	}
	for _, base := range []operand.Op{a, b, from} {
		c.ADDQ(operand.U32(unroll*v.width), base)
	}
	c.DECQ(turns)
	c.JNZ(operand.LabelRef("turn"))
	c.VZEROUPPER()
	c.RET()
}
