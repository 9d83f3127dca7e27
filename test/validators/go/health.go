package main

import (
	"context"
	"encoding/json"
	"fmt"
	"sort"

	"github.com/argoproj/argo-cd/gitops-engine/pkg/health"
	"github.com/argoproj/argo-cd/v3/pkg/apiclient/application"
	"github.com/argoproj/argo-cd/v3/pkg/apis/application/v1alpha1"
	"github.com/argoproj/argo-cd/v3/util/lua"
	"github.com/argoproj/argo-cd/v3/util/settings"
	jsonpatch "github.com/evanphx/json-patch"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/fake"
)

// Health is what the script says, and what Argo CD then shows: it answers for objects that are being deleted before any script runs.
type Health struct {
	Script *health.HealthStatus `json:"script"`
	Shown  *health.HealthStatus `json:"shown"`
}

func checkHealth(ctx context.Context, request Request, known *cache) (*Health, error) {
	overrides, err := known.resourceOverrides(ctx, request.ConfigMap)
	if err != nil {
		return nil, err
	}
	byScript, err := lua.ResourceHealthOverrides(overrides).GetResourceHealth(request.Object)
	if err != nil {
		return nil, err
	}
	shown, err := health.GetResourceHealth(request.Object, lua.ResourceHealthOverrides(overrides))
	if err != nil {
		return nil, err
	}
	return &Health{Script: byScript, Shown: shown}, nil
}

func discoverActions(ctx context.Context, request Request, known *cache) ([]v1alpha1.ResourceAction, error) {
	overrides, err := known.resourceOverrides(ctx, request.ConfigMap)
	if err != nil {
		return nil, err
	}
	vm := lua.VM{ResourceOverrides: overrides}
	scripts, err := vm.GetResourceActionDiscovery(request.Object)
	if err != nil {
		return nil, err
	}
	actions, err := vm.ExecuteResourceActionDiscovery(request.Object, scripts)
	if err != nil {
		return nil, err
	}
	sort.Slice(actions, func(i, j int) bool { return actions[i].Name < actions[j].Name })
	return actions, nil
}

// ActionOutcome is the object as an action left it, and the JSON merge patch that Argo CD's server sends for it.
type ActionOutcome struct {
	Object map[string]any  `json:"object"`
	Patch  json.RawMessage `json:"patch"`
}

func runAction(ctx context.Context, request Request, known *cache) (*ActionOutcome, error) {
	overrides, err := known.resourceOverrides(ctx, request.ConfigMap)
	if err != nil {
		return nil, err
	}
	vm := lua.VM{ResourceOverrides: overrides}
	action, err := vm.GetResourceAction(request.Object, request.Action)
	if err != nil {
		return nil, err
	}
	before, err := json.Marshal(request.Object)
	if err != nil {
		return nil, err
	}
	parameters := []*application.ResourceActionParameters{}
	for name, value := range request.Parameters {
		parameters = append(parameters, &application.ResourceActionParameters{Name: &name, Value: &value})
	}
	impacted, err := vm.ExecuteResourceAction(request.Object, action.ActionLua, parameters)
	if err != nil {
		return nil, err
	}
	if len(impacted) != 1 || impacted[0].K8SOperation != lua.PatchOperation {
		return nil, fmt.Errorf("action %s does something other than to patch its object", request.Action)
	}
	after, err := json.Marshal(impacted[0].UnstructuredObj)
	if err != nil {
		return nil, err
	}
	patch, err := jsonpatch.CreateMergePatch(before, after)
	if err != nil {
		return nil, err
	}
	return &ActionOutcome{Object: impacted[0].UnstructuredObj.Object, Patch: patch}, nil
}

// resourceOverrides reads the settings as Argo CD does, its own defaults included.
func (known *cache) resourceOverrides(ctx context.Context, data map[string]string) (map[string]v1alpha1.ResourceOverride, error) {
	key, err := json.Marshal(data)
	if err != nil {
		return nil, err
	}
	if overrides, ok := known.overrides[string(key)]; ok {
		return overrides, nil
	}
	const namespace = "argocd"
	labels := map[string]string{"app.kubernetes.io/part-of": "argocd"}
	clientset := fake.NewClientset(
		&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "argocd-cm", Labels: labels}, Data: data},
		&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "argocd-secret", Labels: labels}},
	)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	overrides, err := settings.NewSettingsManager(ctx, clientset, namespace).GetResourceOverrides()
	if err != nil {
		return nil, err
	}
	known.overrides[string(key)] = overrides
	return overrides, nil
}
