package hardware

import "slices"

// Counts returns how many devices of a profile can be rented, ascending, up to a number of them.
//
// Chips of a torus come in the slices of the facts, and beyond the largest in several of it. Other
// devices come in the sizes of servers and then in whole servers: each number of them up to 8, then
// four numbers for every doubling. Where no server is known it is taken to hold up to 8.
func (p *Profile) Counts(most int) []int {
	const usual = 8
	whole, sizes := usual, []int{1, 2, 4}
	if n := p.Nodes.Devices; n != nil {
		whole, sizes = *n, p.Nodes.Sizes
	}
	out := slices.Clone(sizes)
	if len(p.Nodes.Slices) > 0 {
		out = nil
		for _, axes := range p.Nodes.Slices {
			chips := 1
			for _, n := range axes {
				chips *= n
			}
			out = append(out, chips)
		}
		whole = slices.Max(out)
	}
	const each = 8
	step := 1
	for n := 1; n*whole <= most; n += step {
		if n == each*step {
			step *= 2
		}
		out = append(out, n*whole)
	}
	slices.Sort(out)
	out = slices.Compact(out)
	return slices.DeleteFunc(out, func(n int) bool { return n > most })
}
