// Package composetest holds docker-compose.yml to the Compose specification and
// to what the project promises about it. It needs no Docker. Nothing else may
// enter.
package composetest

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"
	"github.com/stretchr/testify/require"
)

// root is the repository's, where docker-compose.yml stands.
func root(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs(filepath.Join("..", ".."))
	require.NoError(t, err)
	return dir
}

// load reads a file as Docker Compose does: by the schema of the
// specification, with every reference resolved.
func load(t *testing.T, file string) (*types.Project, error) {
	t.Helper()
	options, err := cli.NewProjectOptions([]string{file}, cli.WithWorkingDirectory(root(t)))
	require.NoError(t, err)
	return options.LoadProject(t.Context())
}

func composed(t *testing.T) *types.Project {
	t.Helper()
	project, err := load(t, filepath.Join(root(t), "docker-compose.yml"))
	require.NoError(t, err)
	return project
}

func TestTheFileFollowsTheSpecification(t *testing.T) {
	require.ElementsMatch(t, []string{"database", "schema", "temporal", "namespace", "ui", "worker"}, composed(t).ServiceNames())
}

func TestAFileThatDoesNotIsRefused(t *testing.T) {
	for name, text := range map[string]string{
		"an unknown attribute":    "services: {a: {image: b, prots: ['1:1']}}",
		"an unknown service":      "services: {a: {image: b, depends_on: [c]}}",
		"an undeclared volume":    "services: {a: {image: b, volumes: ['archive:/d']}}",
		"neither image nor build": "services: {a: {restart: always}}",
	} {
		file := filepath.Join(t.TempDir(), "docker-compose.yml")
		require.NoError(t, os.WriteFile(file, []byte("name: x\n"+text), 0o600))
		_, err := load(t, file)
		require.Error(t, err, name)
	}
}

// Temporal and its UI have no login.
func TestNothingIsPublishedBeyondThisMachine(t *testing.T) {
	published := 0
	for _, service := range composed(t).Services {
		for _, port := range service.Ports {
			require.Equal(t, "127.0.0.1", port.HostIP, "%s publishes %s", service.Name, port.Published)
			published++
		}
	}
	require.Equal(t, 3, published, "Temporal, its UI and the relay")
}

func TestImagesOfOthersArePinned(t *testing.T) {
	pinned := regexp.MustCompile(`^[a-z0-9./-]+:\d[\w.-]*$`)
	for _, service := range composed(t).Services {
		if service.Build == nil {
			require.Regexp(t, pinned, service.Image, service.Name)
		}
	}
}

// A service that is waited for as healthy must say when it is.
func TestWhatIsWaitedForTellsItsHealth(t *testing.T) {
	project := composed(t)
	for _, service := range project.Services {
		for name, dependency := range service.DependsOn {
			if dependency.Condition == types.ServiceConditionHealthy {
				require.NotNil(t, project.Services[name].HealthCheck, "%s waits for %s", service.Name, name)
			}
		}
	}
	require.NotNil(t, project.Services["worker"].HealthCheck)
}

func TestTheWorkerIsBuiltFromTheDockerfile(t *testing.T) {
	build := composed(t).Services["worker"].Build
	require.NotNil(t, build)
	text, err := os.ReadFile(filepath.Join(build.Context, build.Dockerfile))
	require.NoError(t, err)
	for _, source := range regexp.MustCompile(`go build .* (\./\S+)`).FindAllStringSubmatch(string(text), -1) {
		require.FileExists(t, filepath.Join(build.Context, source[1], "main.go"), "the Dockerfile builds %s", source[1])
	}
	require.Contains(t, string(text), "distroless/static")
	require.Contains(t, string(text), ":nonroot")
}
