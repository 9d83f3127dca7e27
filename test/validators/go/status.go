package main

import "sigs.k8s.io/cli-utils/pkg/kstatus/status"

// Status is the result of kstatus: Current, InProgress, Failed, Terminating.
type Status struct {
	Status  string `json:"status"`
	Message string `json:"message"`
}

func computeStatus(request Request) (*Status, error) {
	result, err := status.Compute(request.Object)
	if err != nil {
		return nil, err
	}
	return &Status{Status: result.Status.String(), Message: result.Message}, nil
}
