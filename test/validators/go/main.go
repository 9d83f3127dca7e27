// Command object-validators runs the code of other projects on Kubernetes objects: Argo CD (health, resource actions, RBAC, sync, diff), Flux and
// kstatus. It reads a JSON array of requests on standard input and answers with a JSON array of as many results, in their order.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/argoproj/argo-cd/v3/pkg/apis/application/v1alpha1"
	"github.com/fluxcd/pkg/runtime/cel"
	log "github.com/sirupsen/logrus"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Request names a validator and its object. The validator decides which of the other fields are used.
type Request struct {
	Validator string                     `json:"validator"`
	Object    *unstructured.Unstructured `json:"object"`

	// health, actions, action: the data of the ConfigMap argocd-cm.
	ConfigMap map[string]string `json:"configMap"`
	// action: its name. allowed: as in a policy, such as action/group/Kind/name.
	Action string `json:"action"`
	// action: what the user enters.
	Parameters map[string]string `json:"parameters"`

	// allowed: lines of argocd-rbac-cm, and who asks.
	Policy  string `json:"policy"`
	Subject string `json:"subject"`
	// confirmed.
	Since time.Time `json:"since"`

	// expressions: Flux' own.
	Expressions *Expressions `json:"expressions"`

	// sync, diff.
	Kubeconfig  string `json:"kubeconfig"`
	Application string `json:"application"`
	// diff: client-side, structured-merge or server-side. sync: client-side or server-side.
	Method string `json:"method"`
}

// Result holds either an answer or the error of the validator.
type Result struct {
	Answer any    `json:"answer,omitempty"`
	Error  string `json:"error,omitempty"`
}

func main() {
	// Argo CD logs each step; standard output is for the answers.
	log.SetOutput(io.Discard)
	if err := run(context.Background(), os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "object-validators:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, in io.Reader, out io.Writer) error {
	// Unstructured's own decoder keeps integers integers, as the API machinery does.
	var requests []Request
	if err := json.NewDecoder(in).Decode(&requests); err != nil {
		return fmt.Errorf("decoding the requests: %w", err)
	}
	known := &cache{
		clusters:   map[string]*cluster{},
		overrides:  map[string]map[string]v1alpha1.ResourceOverride{},
		evaluators: map[Expressions]*cel.StatusEvaluator{},
	}
	results := make([]Result, 0, len(requests))
	for _, request := range requests {
		answer, err := validate(ctx, request, known)
		if err != nil {
			results = append(results, Result{Error: err.Error()})
			continue
		}
		results = append(results, Result{Answer: answer})
	}
	return json.NewEncoder(out).Encode(results)
}

// cache keeps what earlier requests have read for later ones.
type cache struct {
	clusters   map[string]*cluster
	overrides  map[string]map[string]v1alpha1.ResourceOverride
	evaluators map[Expressions]*cel.StatusEvaluator
}

func validate(ctx context.Context, request Request, known *cache) (any, error) {
	if request.Object == nil {
		return nil, fmt.Errorf("a request to %q has no object", request.Validator)
	}
	switch request.Validator {
	case "health":
		return checkHealth(ctx, request, known)
	case "actions":
		return discoverActions(ctx, request, known)
	case "action":
		return runAction(ctx, request, known)
	case "status":
		return computeStatus(request)
	case "expressions":
		return evaluateExpressions(ctx, request, known)
	case "decode":
		return decode(request)
	case "allowed":
		return isAllowed(request)
	case "confirmed":
		return isConfirmed(request)
	case "sync":
		return sync(ctx, request, known)
	case "diff":
		return compare(ctx, request, known)
	default:
		return nil, fmt.Errorf("there is no validator %q", request.Validator)
	}
}
