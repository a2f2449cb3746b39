import Testing

/// Offline: against the structure of Chaos Mesh's CRDs, and against what `k8s/` deploys.
struct ChaosManifestTests {
    private static let faults = [
        "clock-jump", "delay", "disk-full", "kafka-cut", "loss", "partition", "partition-one-way", "pod-failure",
        "pod-kill", "slow-disk", "starvation",
    ]

    private func manifest(_ name: String) throws -> YAML {
        let documents = try #require(try Manifests.documents(in: "chaos/kubernetes")["\(name).yaml"])
        #expect(documents.count == 1)
        return documents[0]
    }

    @Test(arguments: faults + ["workflow"])
    func `a manifest has the fields of its kind and no others`(name: String) throws {
        let manifest = try manifest(name)
        let kind = try #require(manifest["kind"]?.text)
        #expect(manifest["apiVersion"]?.text == "chaos-mesh.org/v1alpha1")
        let spec = try #require(manifest["spec"])
        let schema = try #require(ChaosMesh.specs[kind])
        #expect(schema.problems(with: spec, at: kind) == [])
    }

    @Test func `there is no manifest that the tests do not know`() throws {
        let names = try Manifests.documents(in: "chaos/kubernetes").keys
        #expect(names.sorted() == (Self.faults + ["workflow", "checker-job"]).map { $0 + ".yaml" }.sorted())
    }

    @Test(arguments: faults)
    func `a fault hits the pods that are deployed`(name: String) throws {
        let spec = try manifest(name)["spec"]
        let pods = try #require(try Manifests.deployed("StatefulSet"))["spec", "template"]
        #expect(spec?["selector", "labelSelectors"] == pods?["metadata", "labels"])
        #expect(spec?["selector", "namespaces"]?.list == [try namespace()])
        let containers = pods?["spec", "containers"]?.list ?? []
        for container in spec?["containerNames"]?.list ?? [] {
            #expect(containers.contains { $0["name"] == container })
        }
        if let volume = spec?["volumePath"] {
            let mounts = containers.flatMap { $0["volumeMounts"]?.list ?? [] }
            #expect(mounts.contains { $0["mountPath"] == volume })
        }
    }

    private func namespace() throws -> YAML {
        try #require(try Manifests.deployed("Namespace")?["metadata", "name"])
    }

    @Test func `the workflow runs every fault as its own manifest has it, with a rest behind each`() throws {
        let spec = try #require(try manifest("workflow")["spec"])
        let templates = try #require(spec["templates"]?.list)
        func template(_ name: String?) -> YAML? { templates.first { $0["name"]?.text == name } }
        let children = try #require(template(spec["entry"]?.text)?["children"]?.list).compactMap(\.text)
        #expect(children.count == 2 * Self.faults.count)
        for (fault, rest) in zip(children[...].striding(by: 2), children[1...].striding(by: 2)) {
            let own = try manifest(fault)
            let kind = try #require(own["kind"]?.text)
            #expect(template(fault)?["templateType"]?.text == kind)
            guard case .map(var fields)? = own["spec"] else {
                Issue.record("\(fault) has no spec")
                continue
            }
            // A fault of a workflow lasts as long as its template.
            let duration = fields.removeValue(forKey: "duration")
            if duration != nil { #expect(template(fault)?["deadline"] == duration) }
            #expect(template(fault)?[ChaosMesh.fields[kind] ?? ""] == .map(fields))
            #expect(template(rest)?["templateType"]?.text == "Suspend")
        }
        #expect(Set(children) == Set(Self.faults + ["rest"]))
    }

    @Test(arguments: [
        ("  mode: one", "  mode: some", "PodChaos.mode: 'some' is not one of"),
        ("  mode: one\n", "", "PodChaos.mode: is missing"),
        ("gracePeriod: 0", "gracePeriod: \"0\"", "PodChaos.gracePeriod: '0' is not a whole number"),
        ("gracePeriod: 0", "grace: 0", "PodChaos.grace: is not known"),
        ("    - slipstream", "    - 1", "PodChaos.selector.namespaces[0]: '1' is not a text"),
    ])
    func `a manifest that is wrong is found out`(right: String, wrong: String, problem: String) throws {
        let text = try Manifests.text(of: "chaos/kubernetes/pod-kill.yaml")
        try #require(text.contains(right))
        let documents = try YAMLReader.documents(of: text.replacing(right, with: wrong))
        let schema = try #require(ChaosMesh.specs["PodChaos"])
        let problems = schema.problems(with: try #require(documents.first?["spec"]), at: "PodChaos")
        #expect(problems.count == 1 && problems[0].hasPrefix(problem), "\(problems)")
    }

    @Test(arguments: ["a: [1", "a: 1\na: 2", "\tb: 1"])
    func `what is not YAML is refused with its line`(text: String) {
        #expect(throws: YAMLError.self) { try YAMLReader.documents(of: text) }
    }
}

extension ArraySlice {
    /// Every `step`-th element from the first on.
    fileprivate func striding(by step: Int) -> [Element] {
        stride(from: startIndex, to: endIndex, by: step).map { self[$0] }
    }
}
