import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import java.io.File;
import java.util.concurrent.TimeUnit;

/** Waits with fabric8 until a forwarding is ready: {@code Wait NAMESPACE NAME}. Prints a line when it begins to wait. */
public class Wait {
  public static void main(String[] arguments) throws Exception {
    Config config = Config.fromKubeconfig(new File(System.getenv("KUBECONFIG")));
    try (var client = new KubernetesClientBuilder().withConfig(config).build()) {
      var forwarding =
          client
              .genericKubernetesResources("konnect-audit-log.io/v1alpha1", "AuditLogForwarding")
              .inNamespace(arguments[0])
              .withName(arguments[1]);
      forwarding.require();
      System.out.println("waiting");
      forwarding.waitUntilReady(1, TimeUnit.MINUTES);
    }
  }
}
