package main

import (
	"fmt"

	"github.com/argoproj/argo-cd/v3/pkg/apis/application/v1alpha1"
	"github.com/argoproj/argo-cd/v3/util/assets"
	"github.com/argoproj/argo-cd/v3/util/rbac"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
)

func applicationOf(request Request) (*v1alpha1.Application, error) {
	var application v1alpha1.Application
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(request.Object.Object, &application); err != nil {
		return nil, fmt.Errorf("decoding the Application: %w", err)
	}
	return &application, nil
}

// isAllowed asks Argo CD's RBAC, with its own policy beside the one that is given.
func isAllowed(request Request) (bool, error) {
	application, err := applicationOf(request)
	if err != nil {
		return false, err
	}
	if err := rbac.ValidatePolicy(request.Policy); err != nil {
		return false, fmt.Errorf("reading the policy: %w", err)
	}
	const namespace = "argocd"
	enforcer := rbac.NewEnforcer(fake.NewClientset(), namespace, "argocd-rbac-cm", nil)
	if err := enforcer.SetBuiltinPolicy(assets.BuiltinPolicyCSV); err != nil {
		return false, err
	}
	if err := enforcer.SetUserPolicy(request.Policy); err != nil {
		return false, err
	}
	return enforcer.Enforce(request.Subject, rbac.ResourceApplications, request.Action, application.RBACName(namespace)), nil
}

// isConfirmed says whether a person has confirmed what was asked for at request.Since, or later: a deletion, or a sync that prunes.
func isConfirmed(request Request) (bool, error) {
	application, err := applicationOf(request)
	if err != nil {
		return false, err
	}
	return application.IsDeletionConfirmed(request.Since), nil
}
