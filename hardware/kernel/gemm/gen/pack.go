package main

import (
	"github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// packRows generates the copy of two registers from each row of a matrix to consecutive rows of a
// panel.
func packRows(c *build.Context, v isa) {
	name := "packRows" + v.name
	c.Function(name)
	c.Pragma("noescape")
	c.SignatureExpr("func(dst, src *float32, stride, rows int)")
	c.Doc(
		name+" copies one panel row from each of the rows, stride bytes apart, to consecutive rows of dst.",
		"There is at least one row.",
	)
	dst := c.Load(c.Param("dst"), c.GP64())
	src := c.Load(c.Param("src"), c.GP64())
	stride := c.Load(c.Param("stride"), c.GP64())
	rows := c.Load(c.Param("rows"), c.GP64())
	r0, r1 := v.registers[0], v.registers[1]
	c.Label("row")
	c.VMOVUPS(at(src, 0), r0)
	c.VMOVUPS(at(src, v.width), r1)
	c.VMOVUPS(r0, at(dst, 0))
	c.VMOVUPS(r1, at(dst, v.width))
	c.ADDQ(stride, src)
	c.ADDQ(operand.U32(2*v.width), dst)
	c.DECQ(rows)
	c.JNZ(operand.LabelRef("row"))
	c.VZEROUPPER()
	c.RET()
}

// packColumns generates the transposition of eight columns, each contiguous, into eight
// neighbouring columns of a panel, 8×8 elements at a time: exchanges of pairs, of quartets, and of
// halves.
func packColumns(c *build.Context) {
	const size = 8
	c.Function("packColumnsAVX2")
	c.Pragma("noescape")
	c.SignatureExpr("func(dst *float32, dstStride int, src *float32, srcStride, blocks int)")
	c.Doc(
		"packColumnsAVX2 transposes 8 columns of 8·blocks elements, srcStride bytes apart, into rows of 8 that are",
		"dstStride bytes apart. There is at least one block.",
	)
	dst := c.Load(c.Param("dst"), c.GP64()).(reg.GPVirtual)
	dstStride := c.Load(c.Param("dstStride"), c.GP64()).(reg.GPVirtual)
	src := c.Load(c.Param("src"), c.GP64()).(reg.GPVirtual)
	srcStride := c.Load(c.Param("srcStride"), c.GP64()).(reg.GPVirtual)
	blocks := c.Load(c.Param("blocks"), c.GP64())
	in := addressLines(c, src, srcStride, size)
	out := addressLines(c, dst, dstStride, size)
	x, y := avx2.registers[:size], avx2.registers[size:]
	c.Label("block")
	for i := range size {
		c.VMOVUPS(in.row(i, 0), x[i])
	}
	for i := 0; i < size; i += 2 {
		c.VUNPCKLPS(x[i+1], x[i], y[i])
		c.VUNPCKHPS(x[i+1], x[i], y[i+1])
	}
	for i := 0; i < size; i += 4 {
		c.VSHUFPS(operand.Imm(0x44), y[i+2], y[i], x[i])
		c.VSHUFPS(operand.Imm(0xee), y[i+2], y[i], x[i+1])
		c.VSHUFPS(operand.Imm(0x44), y[i+3], y[i+1], x[i+2])
		c.VSHUFPS(operand.Imm(0xee), y[i+3], y[i+1], x[i+3])
	}
	for i := range size / 2 {
		c.VPERM2F128(operand.Imm(0x20), x[i+4], x[i], y[i])
		c.VPERM2F128(operand.Imm(0x31), x[i+4], x[i], y[i+4])
	}
	for i := range size {
		c.VMOVUPS(y[i], out.row(i, 0))
	}
	for _, base := range in.bases {
		c.ADDQ(operand.Imm(4*size), base)
	}
	for _, base := range out.bases {
		c.LEAQ(operand.Mem{Base: base, Index: dstStride, Scale: size}, base)
	}
	c.DECQ(blocks)
	c.JNZ(operand.LabelRef("block"))
	c.VZEROUPPER()
	c.RET()
}
