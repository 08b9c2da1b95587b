package plan

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/deepnarrow/deepnarrow/hardware"
	"github.com/deepnarrow/deepnarrow/internal/parallel"
	"github.com/deepnarrow/deepnarrow/internal/quantity"
)

// Limits are what a rented cluster must keep to. What is zero is not limited, but for Devices and
// Sure.
type Limits struct {
	WallSeconds, USD float64
	Devices          int     // most that are rented; 0 is [MostRented]
	Sure             float64 // how probable it must be that each limit is kept; 0 is [UsualSure]
}

const (
	// MostRented is how many devices a search goes up to where nobody says.
	MostRented = 1024
	// UsualSure is the probability at which a search promises: the upper end of an 80 % interval.
	UsualSure = 0.9
)

// Offer is a cluster that a run could be rented on, planned.
type Offer struct {
	Cluster Cluster
	Answer
	// Sure is how probable it is that the run keeps to all limits; nil without any.
	Sure *float64
	// Best says that no other count of the accelerator at these terms costs less; Front that no
	// other offer is both faster and cheaper.
	Best, Front               bool
	Cheapest, Fastest, Fewest bool // of all
}

// Refusal is a cluster that cannot do the run at any count, and why.
type Refusal struct {
	Cluster string
	Why     string
}

// Found is what a search over clusters has found.
type Found struct {
	Offers  []Offer // that are best or on the front, the cheapest first
	Refused []Refusal
	Limits  Limits
	Priced  int // clusters of a type and count that were planned
}

// Offers plans a run on every cluster that can be rented: of those with open devices, on every
// count that [hardware.Profile.Counts] lists, each laid out in the fastest way that fits unless the
// question states a layout. It returns what keeps to the limits.
//
// A limit is kept with the probability Limits.Sure where the wall clock, or the bill, stays below
// it at that quantile of its interval ([hardware.Estimate.AtMost]). Both are the same time at fixed
// rates, so that both limits are kept together as probably as the tighter alone.
//
// A later deadline never makes the cheapest offer cost more, nor does a higher price give a cluster
// a better place: every count that could win is planned, and none is left out by a guess.
//
// The error is that of a question that no cluster could answer: a region that is not known, a shape
// that the workload does not suit.
func (q Question) Offers(clusters []Cluster, limits Limits) (Found, error) {
	limits.Devices, limits.Sure = cmp.Or(limits.Devices, MostRented), cmp.Or(limits.Sure, UsualSure)
	q.Detail, q.Decode = false, 0
	if q.Layout.Devices() == 1 {
		q.Search = true
	}
	type try struct {
		of    int
		offer Offer
		err   error
	}
	var tries []try
	for i := range clusters {
		counts := []int{clusters[i].Devices}
		if clusters[i].Devices == 0 {
			counts = clusters[i].Profile.Counts(limits.Devices)
		}
		for _, n := range counts {
			t := try{of: i, offer: Offer{Cluster: clusters[i]}}
			t.offer.Cluster.Devices = n
			tries = append(tries, t)
		}
	}
	parallel.Each(len(tries), 0, func(i int) {
		t := &tries[i]
		t.offer.Answer, t.err = t.offer.Cluster.Ask(q).Answer()
	})
	out := Found{Limits: limits, Priced: len(tries)}
	var kept []Offer
	for i := range clusters {
		reasons := &reasons{limits: limits}
		before := len(kept)
		for k := range tries {
			t := &tries[k]
			if t.of != i {
				continue
			}
			var none *hardware.NoLayoutError
			var missing *hardware.MissingError
			if t.err != nil && !errors.As(t.err, &none) && !errors.As(t.err, &missing) {
				return out, t.err
			}
			if reasons.keeps(&t.offer, t.err) {
				kept = append(kept, t.offer)
			}
		}
		if mine := kept[before:]; len(mine) > 0 {
			slices.SortStableFunc(mine, cheaper)
			mine[0].Best = true
		} else {
			out.Refused = append(out.Refused, Refusal{clusters[i].String(), reasons.why()})
		}
	}
	slices.SortStableFunc(kept, cheaper)
	mark(kept)
	out.Offers = slices.DeleteFunc(kept, func(o Offer) bool {
		return !o.Best && !o.Front && !o.Fewest
	})
	return out, nil
}

func (o *Offer) cost() float64 { return o.Schedule.Bill.CostUSD.Interval.Value }
func (o *Offer) wall() float64 { return o.Schedule.Occupancy.WallSeconds.Interval.Value }

// cheaper orders offers by bill, then by wall clock, then by count.
func cheaper(a, b Offer) int {
	return cmp.Or(cmp.Compare(a.cost(), b.cost()), cmp.Compare(a.wall(), b.wall()),
		cmp.Compare(a.Cluster.Devices, b.Cluster.Devices))
}

// mark finds the front of offers in the order of [cheaper], and the first in each respect.
func mark(offers []Offer) {
	if len(offers) == 0 {
		return
	}
	offers[0].Cheapest = true
	fastest, fewest := 0, 0
	for i := range offers {
		o := &offers[i]
		if i == 0 || o.wall() < offers[fastest].wall() {
			o.Front, fastest = true, i
		}
		if o.Cluster.Devices < offers[fewest].Cluster.Devices {
			fewest = i
		}
	}
	offers[fastest].Fastest, offers[fewest].Fewest = true, true
}

// reasons remembers how near the counts of one cluster came to the limits.
type reasons struct {
	limits       Limits
	first        string // why nothing could be planned
	missing      string // what the profile lacks to plan more devices
	fits         bool
	wall, usd    float64 // the least at the probability asked; 0 = none
	inTime       float64 // the least bill of those that keep the deadline
	need, usable float64
}

// keeps says whether an offer keeps to the limits, and sets its probability.
func (r *reasons) keeps(o *Offer, err error) bool {
	s := &o.Schedule
	wall, timed := s.Occupancy.WallSeconds.AtMost(r.limits.Sure)
	usd, priced := s.Bill.CostUSD.AtMost(r.limits.Sure)
	switch {
	case err != nil:
		var missing *hardware.MissingError
		if errors.As(err, &missing) {
			r.missing = cmp.Or(r.missing, "its "+missing.Field+" is unknown")
		}
		r.first = cmp.Or(r.first, err.Error())
		return false
	case !timed || !priced:
		r.first = cmp.Or(r.first, s.Occupancy.WallSeconds.Missing, s.Bill.CostUSD.Missing)
		return false
	case o.Fits != nil && !*o.Fits:
		if r.need == 0 || o.Memory.PeakBytes < r.need {
			r.need = o.Memory.PeakBytes
			r.usable, _ = o.Run.Profile.UsableBytes()
		}
		return false
	}
	r.fits = true
	o.Sure = r.limits.Kept(&o.Answer)
	keeps := true
	for _, limit := range []struct {
		most, at float64
		least    *float64
	}{{r.limits.WallSeconds, wall, &r.wall}, {r.limits.USD, usd, &r.usd}} {
		if limit.most == 0 {
			continue
		}
		if *limit.least == 0 || limit.at < *limit.least {
			*limit.least = limit.at
		}
		keeps = keeps && limit.at <= limit.most
	}
	if wall <= r.limits.WallSeconds && (r.inTime == 0 || usd < r.inTime) {
		r.inTime = usd
	}
	return keeps
}

func (r *reasons) why() string {
	most := "up to " + quantity.Of(r.limits.Devices, "device")
	switch {
	case !r.fits && r.missing != "":
		return r.missing
	case !r.fits && r.need > 0:
		return fmt.Sprintf("fits on no count of %s: %s a device of %s", most,
			quantity.Format(quantity.Bytes, r.need, 3), quantity.Format(quantity.Bytes, r.usable, 3))
	case !r.fits:
		return cmp.Or(r.first, "cannot be laid out on "+most)
	case r.limits.WallSeconds > 0 && r.wall > r.limits.WallSeconds:
		return fmt.Sprintf("takes %s or more on %s",
			quantity.Format(quantity.Duration, r.wall, 2), most)
	case r.limits.USD > 0 && r.usd > r.limits.USD:
		return fmt.Sprintf("costs %s or more on %s",
			quantity.Format(quantity.Money, r.usd, 2), most)
	}
	if r.inTime == 0 {
		return "no count keeps to both limits"
	}
	return fmt.Sprintf("costs %s or more on the counts that take %s or less",
		quantity.Format(quantity.Money, r.inTime, 2), quantity.Format(quantity.Duration, r.limits.WallSeconds, 2))
}

// Kept returns how probable it is that a run keeps to all limits; nil where there are none, or
// where its time or bill is not known.
func (l *Limits) Kept(a *Answer) *float64 {
	var out *float64
	for _, limit := range []struct {
		most     float64
		estimate hardware.Estimate
	}{
		{l.WallSeconds, a.Schedule.Occupancy.WallSeconds}, {l.USD, a.Schedule.Bill.CostUSD},
	} {
		if limit.most == 0 {
			continue
		}
		p, known := limit.estimate.Probability(limit.most)
		if !known {
			return nil
		}
		if out == nil || p < *out {
			out = &p
		}
	}
	return out
}

// Rentable returns every accelerator with a price, as clusters of open devices.
func Rentable() []Cluster {
	var out []Cluster
	for _, p := range hardware.Catalogue() {
		if p.PriceUSDPerHour != nil {
			out = append(out, Cluster{Profile: p})
		}
	}
	return out
}

// Quote puts clusters at the prices of a list: each once for every line about its accelerator, in
// its region where it names one. Clusters that state a price, and those of which the list says
// nothing, stay as they are.
func Quote(clusters []Cluster, prices []hardware.Quoted, source string) []Cluster {
	var out []Cluster
	for _, c := range clusters {
		quoted := false
		if f := c.Profile.PriceUSDPerHour; f == nil || f.Origin == hardware.DataSheet {
			for i := range prices {
				p := &prices[i]
				if p.Accelerator != c.Profile.Device || c.Region != "" && p.Region != "" && p.Region != c.Region {
					continue
				}
				at := c
				at.Profile, at.Terms = p.At(c.Profile, source), p.Terms
				at.Region = cmp.Or(c.Region, p.Region)
				out = append(out, at)
				quoted = true
			}
		}
		if !quoted {
			out = append(out, c)
		}
	}
	return out
}
