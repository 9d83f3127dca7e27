// Command notifications runs the notifications engine of Argo CD. It reads a JSON array of requests on standard input and answers with a JSON
// array of as many results, in their order.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"

	"github.com/argoproj/notifications-engine/pkg/api"
	"github.com/argoproj/notifications-engine/pkg/templates"
	"github.com/argoproj/notifications-engine/pkg/triggers"
	corev1 "k8s.io/api/core/v1"
)

// Request names a trigger of the ConfigMap argocd-notifications-cm and the Application that it is about.
type Request struct {
	ConfigMap   map[string]string `json:"configMap"`
	Trigger     string            `json:"trigger"`
	Application map[string]any    `json:"application"`
}

// Notification is what the engine sends.
type Notification struct {
	Triggered bool `json:"triggered"`
	// OncePer is the same for states that are one message.
	OncePer string `json:"oncePer"`
	Message string `json:"message"`
	Error   string `json:"error,omitempty"`
}

func main() {
	if err := run(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "notifications:", err)
		os.Exit(1)
	}
}

func run(in io.Reader, out io.Writer) error {
	var requests []Request
	if err := json.NewDecoder(in).Decode(&requests); err != nil {
		return fmt.Errorf("decoding the requests: %w", err)
	}
	results := make([]Notification, 0, len(requests))
	for _, request := range requests {
		notification, err := notify(request)
		if err != nil {
			notification = Notification{Error: err.Error()}
		}
		results = append(results, notification)
	}
	return json.NewEncoder(out).Encode(results)
}

// notify evaluates the trigger and fills its template, whether the trigger fires or not.
func notify(request Request) (Notification, error) {
	config, err := api.ParseConfig(&corev1.ConfigMap{Data: request.ConfigMap}, &corev1.Secret{})
	if err != nil {
		return Notification{}, err
	}
	evaluator, err := triggers.NewService(config.Triggers)
	if err != nil {
		return Notification{}, err
	}
	vars := map[string]any{"app": request.Application}
	results, err := evaluator.Run(request.Trigger, vars)
	if err != nil {
		return Notification{}, err
	}
	if len(results) != 1 {
		return Notification{}, fmt.Errorf("trigger %s has %d conditions", request.Trigger, len(results))
	}
	formatter, err := templates.NewService(config.Templates)
	if err != nil {
		return Notification{}, err
	}
	sent, err := formatter.FormatNotification(vars, results[0].Templates...)
	if err != nil {
		return Notification{}, err
	}
	return Notification{Triggered: results[0].Triggered, OncePer: results[0].OncePer, Message: sent.Message}, nil
}
