/// Chaos Mesh's resources as its CRDs (v2, `chaos-mesh.org/v1alpha1`) define them, as far as our manifests use them:
/// names and types of fields, which are required, and the values of enumerations.
/// Source: config/crd/bases in github.com/chaos-mesh/chaos-mesh.
enum ChaosMesh {
    static let selector = Schema.object(
        required: ["namespaces": .list(.text), "labelSelectors": .map(.text)],
        optional: ["pods": .map(.list(.text)), "expressionSelectors": .list(.map(.text))])
    private static let mode = Schema.oneOf(["one", "all", "fixed", "fixed-percent", "random-max-percent"])
    private static let target = Schema.object(
        required: ["mode": mode, "selector": selector], optional: ["value": .percentText])
    private static let everywhere: [String: Schema] = [
        "duration": .duration, "value": .percentText, "containerNames": .list(.text),
    ]

    private static func spec(_ required: [String: Schema], _ optional: [String: Schema] = [:]) -> Schema {
        .object(
            required: required.merging(["mode": mode, "selector": selector]) { first, _ in first },
            optional: optional.merging(everywhere) { first, _ in first })
    }

    /// The `spec` by `kind`.
    static let specs = faults.merging(
        ["Workflow": .object(required: ["entry": .text, "templates": .list(template)])]) { first, _ in first }

    private static let faults: [String: Schema] = [
        "PodChaos": spec(
            ["action": .oneOf(["pod-kill", "pod-failure", "container-kill"])], ["gracePeriod": .integer]),
        "NetworkChaos": spec(
            ["action": .oneOf(["netem", "delay", "loss", "duplicate", "corrupt", "partition", "bandwidth"])],
            [
                "direction": .oneOf(["to", "from", "both"]), "target": target, "externalTargets": .list(.text),
                "delay": .object(
                    required: ["latency": .duration], optional: ["jitter": .duration, "correlation": .percentText]),
                "loss": .object(required: ["loss": .percentText], optional: ["correlation": .percentText]),
            ]),
        "TimeChaos": spec(
            ["timeOffset": .duration],
            ["clockIds": .list(.oneOf(["CLOCK_REALTIME", "CLOCK_MONOTONIC", "CLOCK_BOOTTIME"]))]),
        "IOChaos": spec(
            ["action": .oneOf(["latency", "fault", "attrOverride", "mistake"]), "volumePath": .text],
            [
                "path": .text, "delay": .duration, "errno": .integer, "percent": .integer,
                "methods": .list(.oneOf(["READ", "WRITE", "FSYNC", "OPEN", "CREATE", "FLUSH", "STATFS"])),
            ]),
        "StressChaos": spec([
            "stressors": .object(
                required: [:],
                optional: [
                    "cpu": .object(required: ["workers": .integer], optional: ["load": .integer]),
                    "memory": .object(required: ["workers": .integer], optional: ["size": .text]),
                ])
        ]),
    ]

    /// A fault of a workflow stands under its kind's name, written this way.
    static let fields = [
        "PodChaos": "podChaos", "NetworkChaos": "networkChaos", "TimeChaos": "timeChaos", "IOChaos": "ioChaos",
        "StressChaos": "stressChaos",
    ]

    private static let template = Schema.object(
        required: ["name": .text, "templateType": .oneOf(["Serial", "Parallel", "Suspend"] + fields.keys.sorted())],
        optional: Dictionary(
            uniqueKeysWithValues: fields.map { kind, field in (field, faults[kind] ?? .text) }
                + [("deadline", .duration), ("children", .list(.text))]))
}
