package kernel

import "math"

// longestDistance is where relative positions share the last bucket.
const longestDistance = 128

// bucket returns the bucket of a key that lies `distance` positions after its query. In an encoder
// half of the buckets is for keys that follow. Half of those on a side hold one distance each, the
// rest grow in logarithmic steps up to longestDistance.
//
// Source: Raffel et al. 2020, section 2.1, arXiv 1910.10683, and its released code.
func bucket(distance, buckets int, causal bool) int {
	first, n := 0, -distance
	if !causal {
		buckets /= 2
		if distance > 0 {
			first, n = buckets, distance
		}
	}
	n = max(n, 0)
	exact := buckets / 2
	if n < exact {
		return first + n
	}
	steps := math.Log(float64(n)/float64(exact)) / math.Log(
		float64(longestDistance)/float64(exact)) * float64(buckets-exact)
	return first + min(exact+int(steps), buckets-1)
}

// bucketsOf returns the bucket of each distance from −(S−1) to S−1.
func bucketsOf(s *stack, table *Tensor) []int {
	buckets := make([]int, 2*s.e.positions-1)
	for n := range buckets {
		buckets[n] = bucket(n-(s.e.positions-1), table.Dims[0], s.name == "decoder")
	}
	return buckets
}

func (m *Model) biasTable(s *stack) *Tensor {
	return m.tensor(s.name + ".block.0.layer.0.SelfAttention.relative_attention_bias.weight")
}

// spreadBias writes the bias of every head, query and key: bias[h][q][k] = table[bucket(k − q)][h].
func (m *Model) spreadBias(s *stack) op {
	table, n := m.biasTable(s), s.e.positions
	buckets := bucketsOf(s, table)
	bias := s.saved.bias
	// byDistance[h] is one row of biases by distance; each query's row of keys is a window of it.
	byDistance := make([]float32, s.e.heads*len(buckets))
	return m.parallel(s.e.heads, 1, func(lo, hi int) {
		for h := lo; h < hi; h++ {
			row := byDistance[h*len(buckets) : (h+1)*len(buckets)]
			for i, b := range buckets {
				row[i] = table.Values[b*s.e.heads+h]
			}
			for q := range n {
				copy(bias[(h*n+q)*n:(h*n+q+1)*n], row[n-1-q:])
			}
		}
	})
}

// biasRows is how many rows of a head's bias gradient one task adds to.
const biasRows = 32

// addBias adds the score gradients of a layer, sequence after sequence, to the gradient of the bias
// they all share.
func (m *Model) addBias(s *stack) op {
	n, e := s.e.positions, &s.e
	from, to := s.back.probabilities, s.saved.biasGradient
	return m.parallel(e.heads*n, biasRows, func(lo, hi int) {
		for b := range e.batch {
			m.vec.Add(to[lo*n:hi*n], from[(b*e.heads*n+lo)*n:(b*e.heads*n+hi)*n])
		}
	})
}

// gatherBias sums the gradient of the bias into the buckets of the table.
func (m *Model) gatherBias(s *stack) op {
	table, n := m.biasTable(s), s.e.positions
	buckets := bucketsOf(s, table)
	gradient := s.saved.biasGradient
	sums := make([]float64, s.e.heads*table.Dims[0])
	return m.parallel(s.e.heads, 1, func(lo, hi int) {
		for h := lo; h < hi; h++ {
			sum := sums[h*table.Dims[0] : (h+1)*table.Dims[0]]
			clear(sum)
			for q := range n {
				row := gradient[(h*n+q)*n : (h*n+q+1)*n]
				for k, v := range row {
					sum[buckets[k-q+n-1]] += float64(v)
				}
			}
			for b, v := range sum {
				table.Gradient[b*s.e.heads+h] = float32(v)
			}
		}
	})
}
