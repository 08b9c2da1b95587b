package gemm

// The plain-Go tile. The compiler computes all products of a loop turn before it adds them, so that
// n sums take 2n + 1 of the fifteen scalar registers of amd64, and more than six would go through
// memory from turn to turn, at half the speed. Rows are computed one by one; eight of them find the
// panel of B in the L1 cache.
const (
	goRows = 8
	goCols = 6
)

func goPack(dst, b []float32, rowStride, colStride, valid int) {
	packPanel(goCols, dst, b, rowStride, colStride, valid)
}

// goKernel is the fallback kernel for every processor.
func goKernel(rows, depth int, a []float32, rowStride, colStride int, b, c []float32, cStride,
	panels int, add bool,
) {
	for p := range panels {
		panel := b[p*depth*goCols:][:depth*goCols]
		for i := range rows {
			goRow(a[i*rowStride:], colStride, panel, (*[goCols]float32)(c[i*cStride+p*goCols:]),
				add)
		}
	}
}

// goRow computes c = a·b, or c += a·b, for one row of a with elements stride apart.
func goRow(a []float32, stride int, b []float32, c *[goCols]float32, add bool) {
	var s0, s1, s2, s3, s4, s5 float32
	for i := 0; len(b) >= goCols; b = b[goCols:] {
		x := a[i]
		s0 += b[0] * x
		s1 += b[1] * x
		s2 += b[2] * x
		s3 += b[3] * x
		s4 += b[4] * x
		s5 += b[5] * x
		i += stride
	}
	if add {
		s0, s1, s2, s3, s4, s5 = c[0]+s0, c[1]+s1, c[2]+s2, c[3]+s3, c[4]+s4, c[5]+s5
	}
	*c = [goCols]float32{s0, s1, s2, s3, s4, s5}
}
