package main

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/argoproj/argo-cd/gitops-engine/pkg/diff"
	"github.com/argoproj/argo-cd/gitops-engine/pkg/utils/kube"
	"github.com/argoproj/argo-cd/gitops-engine/pkg/utils/tracing"
	"github.com/argoproj/argo-cd/v3/common"
	"github.com/argoproj/argo-cd/v3/pkg/apis/application/v1alpha1"
	"github.com/argoproj/argo-cd/v3/util/argo"
	argodiff "github.com/argoproj/argo-cd/v3/util/argo/diff"
	"github.com/argoproj/argo-cd/v3/util/argo/normalizers"
	"github.com/go-logr/logr"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/managedfields"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	cmdutil "k8s.io/kubectl/pkg/cmd/util"
)

type cluster struct {
	config *rest.Config
	kube   *kube.KubectlCmd
	parser *managedfields.GvkParser
}

// cluster reads the cluster's OpenAPI documents.
func (known *cache) cluster(kubeconfig string) (*cluster, error) {
	if at, ok := known.clusters[kubeconfig]; ok {
		return at, nil
	}
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return nil, err
	}
	kubectl := &kube.KubectlCmd{Log: logr.Discard(), Tracer: tracing.NopTracer{}}
	_, parser, err := kubectl.LoadOpenAPISchema(config)
	if err != nil {
		return nil, err
	}
	known.clusters[kubeconfig] = &cluster{config: config, kube: kubectl, parser: parser}
	return known.clusters[kubeconfig], nil
}

func (c *cluster) live(ctx context.Context, of *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	return c.kube.GetResource(ctx, c.config, of.GroupVersionKind(), of.GetName(), of.GetNamespace())
}

// Synced is what Argo CD's apply printed.
type Synced struct {
	Message string `json:"message"`
}

// sync applies an object as Argo CD's controller does when it syncs.
func sync(ctx context.Context, request Request, known *cache) (*Synced, error) {
	target, err := tracked(request)
	if err != nil {
		return nil, err
	}
	at, err := known.cluster(request.Kubeconfig)
	if err != nil {
		return nil, err
	}
	operations, cleanUp, err := at.kube.ManageResources(at.config)
	if err != nil {
		return nil, err
	}
	defer cleanUp()
	var serverSide bool
	switch request.Method {
	case "client-side":
	case "server-side":
		serverSide = true
	default:
		return nil, fmt.Errorf("there is no way %q to sync", request.Method)
	}
	message, err := operations.ApplyResource(ctx, target, cmdutil.DryRunNone, false, true, serverSide, common.ArgoCDSSAManager)
	if err != nil {
		return nil, err
	}
	return &Synced{Message: message}, nil
}

// Difference says whether Argo CD calls the object OutOfSync, and why.
type Difference struct {
	Modified  bool            `json:"modified"`
	Live      json.RawMessage `json:"live"`
	Predicted json.RawMessage `json:"predicted"`
}

// compare compares an object with the one in the cluster as Argo CD's controller does.
func compare(ctx context.Context, request Request, known *cache) (*Difference, error) {
	target, err := tracked(request)
	if err != nil {
		return nil, err
	}
	at, err := known.cluster(request.Kubeconfig)
	if err != nil {
		return nil, err
	}
	live, err := at.live(ctx, target)
	if err != nil {
		return nil, err
	}
	overrides, err := known.resourceOverrides(ctx, request.ConfigMap)
	if err != nil {
		return nil, err
	}
	builder := argodiff.NewDiffConfigBuilder().
		WithDiffSettings(nil, overrides, false, normalizers.IgnoreNormalizerOpts{}).
		WithTracking(common.LabelKeyAppInstance, string(v1alpha1.TrackingMethodAnnotation)).
		WithNoCache().
		WithLogger(logr.Discard()).
		WithGVKParser(at.parser).
		WithManager(common.ArgoCDSSAManager)
	switch request.Method {
	case "client-side":
	case "structured-merge":
		builder.WithStructuredMergeDiff(true)
	case "server-side":
		applier, cleanUp, err := at.kube.ManageServerSideDiffDryRuns(at.config)
		if err != nil {
			return nil, err
		}
		defer cleanUp()
		builder.WithServerSideDiff(true).WithServerSideDryRunner(diff.NewK8sServerSideDryRunner(applier))
	default:
		return nil, fmt.Errorf("there is no way %q to diff", request.Method)
	}
	config, err := builder.Build()
	if err != nil {
		return nil, err
	}
	result, err := argodiff.StateDiff(live, target, config)
	if err != nil {
		return nil, err
	}
	return &Difference{Modified: result.Modified, Live: result.NormalizedLive, Predicted: result.PredictedLive}, nil
}

// tracked is the desired object with the mark by which Argo CD knows its own.
func tracked(request Request) (*unstructured.Unstructured, error) {
	target := request.Object.DeepCopy()
	err := argo.NewResourceTracking().SetAppInstance(
		target, common.LabelKeyAppInstance, request.Application, "argocd", v1alpha1.TrackingMethodAnnotation, "",
	)
	return target, err
}
