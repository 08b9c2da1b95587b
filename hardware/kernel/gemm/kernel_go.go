package gemm

// The plain-Go register tile: eight sums, four elements of B and the products in flight fit the sixteen scalar registers of
// amd64.
const (
	goRows = 2
	goCols = 4
)

func goPack(dst, b []float32, rowStride, colStride, valid int) {
	packPanel(goCols, dst, b, rowStride, colStride, valid)
}

// goKernel is the fallback kernel for every processor.
func goKernel(rows, depth int, a []float32, rowStride, colStride int, b, c []float32, cStride, panels int, add bool) {
	for p := range panels {
		panel := b[p*depth*goCols:][:depth*goCols]
		if rows == 1 {
			goTile1(a, colStride, panel, c[p*goCols:][:goCols], add)
			continue
		}
		goTile2(a, a[rowStride:], colStride, panel, c[p*goCols:][:goCols], c[cStride+p*goCols:][:goCols], add)
	}
}

// goTile2 computes two rows of four columns: c = a·b.
func goTile2(a0, a1 []float32, stride int, b, c0, c1 []float32, add bool) {
	var s00, s01, s02, s03, s10, s11, s12, s13 float32
	for i := 0; len(b) >= goCols; i += stride {
		b0, b1, b2, b3 := b[0], b[1], b[2], b[3]
		b = b[goCols:]
		x := a0[i]
		s00 += x * b0
		s01 += x * b1
		s02 += x * b2
		s03 += x * b3
		y := a1[i]
		s10 += y * b0
		s11 += y * b1
		s12 += y * b2
		s13 += y * b3
	}
	if add {
		s00, s01, s02, s03 = s00+c0[0], s01+c0[1], s02+c0[2], s03+c0[3]
		s10, s11, s12, s13 = s10+c1[0], s11+c1[1], s12+c1[2], s13+c1[3]
	}
	c0[0], c0[1], c0[2], c0[3] = s00, s01, s02, s03
	c1[0], c1[1], c1[2], c1[3] = s10, s11, s12, s13
}

// goTile1 computes one row of four columns: c = a·b.
func goTile1(a []float32, stride int, b, c []float32, add bool) {
	var s0, s1, s2, s3 float32
	for i := 0; len(b) >= goCols; i += stride {
		x := a[i]
		s0 += x * b[0]
		s1 += x * b[1]
		s2 += x * b[2]
		s3 += x * b[3]
		b = b[goCols:]
	}
	if add {
		s0, s1, s2, s3 = s0+c[0], s1+c[1], s2+c[2], s3+c[3]
	}
	c[0], c[1], c[2], c[3] = s0, s1, s2, s3
}
