// Command bundle-validator runs the validators of operator-framework/api on a bundle of the Operator Lifecycle Manager. Its argument is the folder of
// the bundle. It answers with a JSON array of what the validators say, errors and warnings.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/operator-framework/api/pkg/manifests"
	"github.com/operator-framework/api/pkg/operators/v1alpha1"
	"github.com/operator-framework/api/pkg/validation"
	"sigs.k8s.io/yaml"
)

func main() {
	said, err := validate(os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, "bundle-validator:", err)
		os.Exit(1)
	}
	if err := json.NewEncoder(os.Stdout).Encode(said); err != nil {
		panic(err)
	}
}

func validate(folder string) ([]string, error) {
	bundle, err := manifests.GetBundleFromDir(folder)
	if err != nil {
		return nil, err
	}
	said := []string{}
	for _, result := range validation.AllValidators.Validate(bundle.ObjectsToValidate()...) {
		for _, one := range append(result.Errors, result.Warnings...) {
			said = append(said, one.Error())
		}
	}
	return append(said, unknownFields(folder)...), nil
}

// unknownFields returns an error for a ClusterServiceVersion that has a field which its Go type lacks. The loader ignores such fields.
func unknownFields(folder string) []string {
	files, _ := filepath.Glob(filepath.Join(folder, "manifests", "*.clusterserviceversion.yaml"))
	if len(files) != 1 {
		return []string{fmt.Sprintf("there are %d ClusterServiceVersions", len(files))}
	}
	text, err := os.ReadFile(files[0])
	if err != nil {
		return []string{err.Error()}
	}
	if err := yaml.UnmarshalStrict(text, &v1alpha1.ClusterServiceVersion{}); err != nil {
		return []string{err.Error()}
	}
	return nil
}
