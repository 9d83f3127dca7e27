package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"

	"github.com/argoproj/argo-cd/v3/pkg/apis/application/v1alpha1"
	helmv2 "github.com/fluxcd/helm-controller/api/v2"
	kustomizev1 "github.com/fluxcd/kustomize-controller/api/v1"
	"github.com/fluxcd/pkg/apis/kustomize"
	"github.com/fluxcd/pkg/runtime/cel"
	sourcev1 "github.com/fluxcd/source-controller/api/v1"
)

// evaluateExpressions evaluates Flux' health check expressions.
func evaluateExpressions(ctx context.Context, request Request, known *cache) (*Status, error) {
	if request.Expressions == nil {
		return nil, fmt.Errorf("no expressions are given")
	}
	evaluator, err := known.evaluator(*request.Expressions)
	if err != nil {
		return nil, err
	}
	result, err := evaluator.Evaluate(ctx, request.Object)
	if err != nil {
		return nil, err
	}
	return &Status{Status: result.Status.String(), Message: result.Message}, nil
}

func (known *cache) evaluator(expressions Expressions) (*cel.StatusEvaluator, error) {
	if evaluator, ok := known.evaluators[expressions]; ok {
		return evaluator, nil
	}
	evaluator, err := cel.NewStatusEvaluator(&expressions)
	if err != nil {
		return nil, err
	}
	known.evaluators[expressions] = evaluator
	return evaluator, nil
}

// decode reads an object of Argo CD or Flux into its own Go type and rejects fields that the type does not have.
func decode(request Request) (bool, error) {
	var typed any
	switch kind := request.Object.GetAPIVersion() + " " + request.Object.GetKind(); kind {
	case "argoproj.io/v1alpha1 Application":
		typed = &v1alpha1.Application{}
	case "kustomize.toolkit.fluxcd.io/v1 Kustomization":
		typed = &kustomizev1.Kustomization{}
	case "helm.toolkit.fluxcd.io/v2 HelmRelease":
		typed = &helmv2.HelmRelease{}
	case "source.toolkit.fluxcd.io/v1 GitRepository":
		typed = &sourcev1.GitRepository{}
	case "source.toolkit.fluxcd.io/v1 OCIRepository":
		typed = &sourcev1.OCIRepository{}
	default:
		return false, fmt.Errorf("no type is known for %s", kind)
	}
	text, err := json.Marshal(request.Object)
	if err != nil {
		return false, err
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(typed); err != nil {
		return false, err
	}
	return true, nil
}

// Expressions are those of one entry of healthCheckExprs.
type Expressions = kustomize.HealthCheckExpressions
