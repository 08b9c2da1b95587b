//go:build amd64 && !purego

package vec

import "github.com/deepnarrow/deepnarrow/hardware/kernel/isa"

// assembly is the routines written for a path, and whether there are any.
func assembly(path isa.Path) (kernels, bool) {
	switch path {
	case isa.AVX2:
		return avx2(), true
	case isa.AVX512:
		return avx512(), true
	default:
		return kernels{}, false
	}
}

func avx2() kernels {
	return kernels{
		maxOf: maxOfAVX2, addMaxOf: addMaxOfAVX2, addAddMaxOf: addAddMaxOfAVX2, dot: dotAVX2,
		dotDot: dotDotAVX2, sumSquares: sumSquaresAVX2, poison: poisonAVX2,
		add: addAVX2, scale: scaleAVX2, axpy: axpyAVX2,
		expSum: expSumAVX2, softmaxGrad: softmaxGradAVX2,
		normApply: normApplyAVX2, normGrad: normGradAVX2, normGradAdd: normGradAddAVX2,
		relu: reluAVX2, reluGrad: reluGradAVX2, geglu: gegluAVX2, gegluGrad: gegluGradAVX2,
		adam:    adamAVX2,
		squares: squaresAVX2, scaledSquares: scaledSquaresAVX2,
		scaledSubtract: scaledSubtractAVX2, moment: momentAVX2, rootSubtract: rootSubtractAVX2,
	}
}

func avx512() kernels {
	return kernels{
		maxOf: maxOfAVX512, addMaxOf: addMaxOfAVX512, addAddMaxOf: addAddMaxOfAVX512,
		dot:    dotAVX512,
		dotDot: dotDotAVX512, sumSquares: sumSquaresAVX512, poison: poisonAVX512,
		add: addAVX512, scale: scaleAVX512, axpy: axpyAVX512,
		expSum: expSumAVX512, softmaxGrad: softmaxGradAVX512,
		normApply: normApplyAVX512, normGrad: normGradAVX512, normGradAdd: normGradAddAVX512,
		relu: reluAVX512, reluGrad: reluGradAVX512, geglu: gegluAVX512, gegluGrad: gegluGradAVX512,
		adam:    adamAVX512,
		squares: squaresAVX512, scaledSquares: scaledSquaresAVX512,
		scaledSubtract: scaledSubtractAVX512, moment: momentAVX512,
		rootSubtract: rootSubtractAVX512,
	}
}
