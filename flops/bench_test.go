package flops

import "testing"

// The speeds quoted in the README.

func BenchmarkTotals(b *testing.B) {
	s := t5(12, 12, 768, 3072, 64, 12)
	b.ReportAllocs()
	for b.Loop() {
		if CountParameters(&s).Total == 0 || Forward(&s, PaperWorkload) == 0 {
			b.Fatal("nothing counted")
		}
	}
}

func BenchmarkLedgerXXL(b *testing.B) {
	s := t5(24, 24, 1024, 65536, 128, 128)
	b.ReportAllocs()
	for b.Loop() {
		if len(NewLedger(&s, PaperWorkload)) == 0 {
			b.Fatal("empty ledger")
		}
	}
}
