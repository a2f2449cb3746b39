import Testing

/// What `k8s/` deploys hangs together, and uses settings that exist.
struct DeploymentTests {
    private let node: YAML
    private let set: YAML

    init() throws {
        set = try #require(try Manifests.deployed("StatefulSet"))
        node = try #require(set["spec", "template", "spec", "containers"]?.list?.first)
    }

    @Test func `all files are part of the customization, and what it names is there`() throws {
        let all = try Manifests.documents(in: "k8s")
        let named = try #require(all["kustomization.yaml"]?.first?["resources"]?.list).compactMap(\.text)
        #expect(named.sorted() == all.keys.filter { $0 != "kustomization.yaml" }.sorted())
    }

    @Test(arguments: ["slipstream", "slipstream-nodes"])
    func `a service selects the nodes, and its ports are theirs`(name: String) throws {
        let service = try #require(try Manifests.deployed("Service", named: name)?["spec"])
        #expect(service["selector"] == set["spec", "template", "metadata", "labels"])
        let ports = try #require(node["ports"]?.list)
        for port in try #require(service["ports"]?.list) {
            let target = try #require(ports.first { $0["name"] == port["targetPort"] })
            #expect(target["containerPort"] == port["port"])
            #expect(target["protocol"] == port["protocol"])
        }
    }

    @Test func `the set's own selectors fit its pods`() throws {
        let labels = set["spec", "template", "metadata", "labels"]
        #expect(set["spec", "selector", "matchLabels"] == labels)
        #expect(try Manifests.deployed("PodDisruptionBudget")?["spec", "selector", "matchLabels"] == labels)
        let headless = try #require(try Manifests.deployed("Service", named: set["spec", "serviceName"]?.text))
        #expect(headless["spec", "clusterIP"]?.text == "None")
        #expect(headless["spec", "publishNotReadyAddresses"]?.text == "true")
    }

    @Test func `every flag and every variable is a setting`() throws {
        let settings = try Manifests.text(of: "docs/settings.md")
        for argument in try #require(node["args"]?.list).compactMap(\.text) where argument.hasPrefix("--") {
            let flag = argument.prefix { $0 != "=" }
            #expect(settings.contains("| `\(flag)` |"), "\(flag)")
        }
        let customization = try #require(try Manifests.documents(in: "k8s")["kustomization.yaml"]?.first)
        let literals = customization["configMapGenerator"]?.list?.first?["literals"]?.list ?? []
        let files = customization["secretGenerator"]?.list?.first?["files"]?.list ?? []
        #expect(!literals.isEmpty && !files.isEmpty)
        for entry in (literals + files).compactMap(\.text) {
            let name = entry.prefix { $0 != "=" }
            #expect(settings.contains("| `\(name)`"), "\(name)")
        }
    }

    /// The default of --drain-timeout-ms, and time to close behind it.
    @Test func `Kubernetes waits longer than a drain takes`() throws {
        let rows = try Manifests.text(of: "docs/settings.md").split(separator: "\n")
        let row = try #require(rows.first { $0.contains("`--drain-timeout-ms`") })
        let milliseconds = try #require(row.firstMatch(of: /`(\d+)`/)).1
        let grace = try #require(set["spec", "template", "spec", "terminationGracePeriodSeconds"]?.text)
        #expect(try #require(Int(grace)) * 1_000 >= (try #require(Int(milliseconds))) + 10_000)
    }

    @Test func `probes ask what the node answers`() throws {
        let paths = ["readinessProbe": "/readyz", "livenessProbe": "/healthz", "startupProbe": "/healthz"]
        for (probe, path) in paths {
            let ask = try #require(node[probe, "httpGet"])
            #expect(ask["path"]?.text == path)
            #expect(ask["port"]?.text == "http")
        }
    }

    @Test func `the image has every file that it copies`() throws {
        let lines = try Manifests.text(of: "k8s/Dockerfile").split(separator: "\n")
        for line in lines where line.hasPrefix("COPY ") && !line.contains("--from") {
            let words = line.split(separator: " ")
            for file in words[1..<(words.count - 1)] { #expect(Manifests.exists(String(file)), "\(file)") }
        }
    }
}
