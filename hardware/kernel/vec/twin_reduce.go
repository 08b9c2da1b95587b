package vec

import "math"

func maxOf(x []float32) float32 {
	m := float32(math.Inf(-1))
	for _, v := range x {
		if v > m {
			m = v
		}
	}
	return m
}

func addMaxOf(x, a []float32) float32 {
	add(x, a)
	return maxOf(x)
}

func addAddMaxOf(x, a, b []float32) float32 {
	a, b = a[:len(x)], b[:len(x)]
	m := float32(math.Inf(-1))
	for i, v := range x {
		v += a[i] + b[i]
		x[i] = v
		if v > m {
			m = v
		}
	}
	return m
}

func dot(x, y []float32) float32 {
	y = y[:len(x)]
	var sum float64
	for i, v := range x {
		sum += float64(v) * float64(y[i])
	}
	return float32(sum)
}

func dotDot(x, y, z []float32) float32 {
	y, z = y[:len(x)], z[:len(x)]
	var sum float64
	for i, v := range x {
		sum += float64(v) * float64(y[i]) * float64(z[i])
	}
	return float32(sum)
}

func sumSquares(x []float32) float64 {
	var sum float64
	for _, v := range x {
		sum += float64(v) * float64(v)
	}
	return sum
}

func poison(x []float32) float32 {
	var sum float32
	for _, v := range x {
		sum += 0 * v
	}
	return sum
}
