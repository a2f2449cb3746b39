/// What one node is told, checked.
package struct NodeConfig: Sendable {
    package var nodeID: String
    package var host: String
    package var port: Int
    package var udpPort: Int?
    package var realtimePath: String
    package var dataDirectory: String
    package var topic: String
    package var partitions: Int
    package var retentionHours: Int
    package var retentionBytes: Int
    package var snapshotIntervalMilliseconds: Int
    package var snapshotRecords: Int
    package var batchMilliseconds: Int
    package var recentPoints: Int
    package var realtimeLagBytes: Int
    package var ringBytes: Int
    package var ringBytesTotal: Int
    package var ingestQueueBytes: Int
    package var idleFlushMilliseconds: Int
    package var heartbeatMilliseconds: Int
    package var resumesPerSecond: Int
    package var maxConnections: Int
    package var trackSectorsPath: String?
    package var webRoot: String
    package var logLevel: Log.Level
    package var logsJSON: Bool
    /// `nil`: everything is done right.
    var faultVariant: FaultVariant?
    /// `nil`: the log is embedded and the node is alone.
    package var kafka: KafkaConfig?

    package struct KafkaConfig: Sendable {
        package var brokers: String
        package var settings: [String]
        package var properties: String?
        package var topic: String
        /// What the topic must have; `nil` takes what there is.
        package var partitions: Int?
        package var replicas: Int
        package var cluster: String
        package var gossipPort: Int
        package var gossipKey: String?
        package var join: [String]
        package var joinDNS: String?
        package var advertise: String
        package var zone: String
        package var weight: Int
        package var drainTimeoutMilliseconds: Int
        /// `nil`: insights are not written.
        package var insightsTopic: String?
        /// `nil`: snapshots are kept by each node alone.
        package var snapshotTopic: String?
    }

    package init(_ settings: Settings, hostName: String) throws(SettingsError) {
        nodeID =
            settings.isGiven("node-id")
            ? try settings.text("node-id") { NodeConfig.isName($0) }
            : NodeConfig.isName(hostName) ? hostName : "node"
        host = try settings.text("host")
        port = try settings.integer("port")
        let udpPort = try settings.integer("udp-port")
        self.udpPort = try settings.text("udp") == "on" ? udpPort : nil
        realtimePath = try settings.text("ws-path") { $0.hasPrefix("/") && $0 != "/v1/stream" }
        dataDirectory = try settings.text("data-dir")
        topic = try settings.text("topic")
        partitions = try settings.integer("partitions")
        retentionHours = try settings.integer("retention-hours")
        retentionBytes = try settings.integer("retention-bytes")
        snapshotIntervalMilliseconds = try settings.integer("snapshot-interval-ms")
        snapshotRecords = try settings.integer("snapshot-records")
        batchMilliseconds = try settings.integer("batch-ms")
        recentPoints = try settings.integer("ringbuffer-size")
        realtimeLagBytes = try settings.integer("max-ws-buffer")
        ringBytes = try settings.integer("ring-bytes")
        ringBytesTotal = try settings.integer("ring-bytes-total")
        guard ringBytesTotal >= ringBytes else {
            throw .notAllowed(
                name: "--ring-bytes-total", value: "\(ringBytesTotal)", allowed: "at least --ring-bytes (\(ringBytes))")
        }
        ingestQueueBytes = try settings.integer("ingest-queue-bytes")
        idleFlushMilliseconds = try settings.integer("idle-flush-ms")
        heartbeatMilliseconds = try settings.integer("heartbeat-ms")
        resumesPerSecond = try settings.integer("resumes-per-second")
        maxConnections = try settings.integer("max-connections")
        trackSectorsPath = settings.optionalText("track-sectors-path")
        webRoot = try settings.text("web-root")
        logLevel = Log.Level(rawValue: try settings.text("log-level")) ?? .notice
        logsJSON = try settings.text("log-format") == "json"
        faultVariant = FaultVariant(rawValue: try settings.text("fault-variant"))
        kafka = try settings.optionalText("kafka").map { (brokers) throws(SettingsError) in
            try KafkaConfig(settings, brokers: brokers, host: host)
        }
    }

    fileprivate static func isName(_ text: String) -> Bool {
        (1...63).contains(text.utf8.count)
            && text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "-_.".contains($0)) }
    }
}

extension NodeConfig.KafkaConfig {
    fileprivate init(_ settings: Settings, brokers: String, host: String) throws(SettingsError) {
        self.brokers = brokers
        self.settings = settings.texts("kafka-config")
        properties = settings.optionalText("kafka-properties")
        topic = try settings.text("topic")
        partitions = settings.isGiven("partitions") ? try settings.integer("partitions") : nil
        replicas = try settings.integer("replicas")
        cluster = try settings.text("cluster") { NodeConfig.isName($0) }
        gossipPort = try settings.integer("gossip-port")
        gossipKey = settings.optionalText("gossip-key")
        join = (settings.optionalText("join") ?? "").split(separator: ",").map { String($0) }
        joinDNS = settings.optionalText("join-dns")
        zone = settings.optionalText("zone") ?? ""
        weight = try settings.integer("weight")
        drainTimeoutMilliseconds = try settings.integer("drain-timeout-ms")
        insightsTopic = settings.optionalText("insights-topic")
        let snapshots = try settings.text("snapshot-topic")
        snapshotTopic = snapshots == "none" ? nil : snapshots
        let isOneAddress = !["0.0.0.0", "::", ""].contains(host)
        guard let advertise = settings.optionalText("advertise") ?? (isOneAddress ? host : nil) else {
            throw .notAllowed(
                name: "--advertise", value: "",
                allowed: "an address of this machine that other nodes reach, since --host is \(host)")
        }
        self.advertise = advertise
    }
}
