/// One settable thing: a flag `--name`, the environment's `SLIPSTREAM_NAME`, and for some Pitwall's own name.
package struct Setting: Sendable {
    package enum Kind: Sendable {
        case integer(ClosedRange<Int>)
        case text(allowed: String)
        /// May be given several times; all count, in their order.
        case texts(allowed: String)
        case choice([String])
    }

    package let name: String
    package let kind: Kind
    package let fallback: String
    package let unit: String
    package let help: String
    /// Other names in the environment, tried after `SLIPSTREAM_…`.
    package let aliases: [String]

    package init(
        _ name: String, _ kind: Kind, default fallback: String, unit: String = "", aliases: [String] = [], help: String
    ) {
        self.name = name
        self.kind = kind
        self.fallback = fallback
        self.unit = unit
        self.aliases = aliases
        self.help = help
    }

    package var environmentName: String {
        "SLIPSTREAM_" + name.uppercased().replacing("-", with: "_")
    }

    package var allowed: String {
        switch kind {
        case .integer(let range): "a whole number in \(range.lowerBound)…\(range.upperBound)"
        case .text(let allowed): allowed
        case .texts(let allowed): "\(allowed); may be given several times"
        case .choice(let choices): "one of \(choices.joined(separator: ", "))"
        }
    }
}

/// Every setting of a node. `docs/settings.md` is written from this table, and a test holds the two together.
package enum SettingsTable {
    package static let node: [Setting] = [
        Setting(
            "node-id", .text(allowed: "1…63 letters, digits, '-', '_' or '.'"), default: "the host's name",
            help: "names this node in logs and metrics; keeps its identity over restarts"),
        Setting(
            "host", .text(allowed: "an address of this machine"), default: "0.0.0.0", aliases: ["HOST"],
            help: "the address to listen on"),
        Setting(
            "port", .integer(0...65_535), default: "8081", aliases: ["PORT"],
            help: "HTTP and WebSocket; 0 takes any free port"),
        Setting(
            "udp-port", .integer(0...65_535), default: "20777", aliases: ["UDP_PORT"],
            help: "telemetry datagrams; 0 takes any free port"),
        Setting("udp", .choice(["on", "off"]), default: "on", help: "whether to listen for datagrams"),
        Setting(
            "ws-path", .text(allowed: "a path that begins with /"), default: "/ws/realtime", aliases: ["WS_PATH"],
            help: "where Pitwall's feed is; /v1/stream stays where it is"),
        Setting(
            "data-dir", .text(allowed: "a directory, made if it is missing"), default: "slipstream-data",
            help: "the embedded log and the snapshots"),
        Setting(
            "partitions", .integer(1...4_096), default: "12",
            help: "partitions of the embedded log, fixed once it exists; with --kafka, what the topic must have"),
        Setting(
            "kafka", .text(allowed: "host:port[,host:port…]"), default: "",
            help: "brokers of the Kafka that holds the log; without them the log is embedded and the node alone"),
        Setting(
            "kafka-config", .texts(allowed: "name=value, as in librdkafka's CONFIGURATION.md"), default: "",
            help: "a setting of the Kafka client, such as security.protocol=ssl"),
        Setting(
            "kafka-properties", .text(allowed: "a file with one name=value a line"), default: "",
            help: "settings of the Kafka client, under those of --kafka-config"),
        Setting(
            "topic", .text(allowed: "a name of a Kafka topic"), default: "telemetry.chassis",
            help: "the topic of chassis telemetry"),
        Setting(
            "snapshot-topic", .text(allowed: "a name of a Kafka topic, or none"), default: "slipstream.snapshots",
            help: "a compacted topic that the shards' leaders keep snapshots in, beside each node's own"),
        Setting(
            "insights-topic", .text(allowed: "a name of a Kafka topic, such as insights.chassis"), default: "",
            help: "where the shards' leaders write insights and alerts for other programs"),
        Setting(
            "replicas", .integer(1...16), default: "2", help: "nodes that fold each shard; the same on all nodes"),
        Setting(
            "cluster", .text(allowed: "1…63 letters, digits, '-', '_' or '.'"), default: "slipstream",
            help: "the cluster's name; nodes of another are refused"),
        Setting(
            "gossip-port", .integer(0...65_535), default: "7946",
            help: "UDP and TCP, where other nodes reach this one; 0 takes any free port"),
        Setting(
            "gossip-key", .text(allowed: "32 bytes as 64 hex digits or as base64"), default: "",
            help: "seals what nodes tell each other (AES-256-GCM); the same on all nodes"),
        Setting(
            "join", .text(allowed: "host:port[,host:port…]"), default: "",
            help: "gossip addresses of some nodes of the cluster; this node's own does no harm"),
        Setting(
            "join-dns", .text(allowed: "name:port"), default: "",
            help: "a name that resolves to the cluster's nodes, such as a headless service"),
        Setting(
            "advertise", .text(allowed: "an address of this machine that other nodes reach"), default: "",
            help: "what other nodes and clients are told; --host, if that is one address"),
        Setting(
            "zone", .text(allowed: "any text"), default: "", help: "replicas of a shard are put in different zones"),
        Setting(
            "weight", .integer(1...1_000), default: "100", help: "this node's share of the shards, beside others'"),
        Setting(
            "drain-timeout-ms", .integer(0...3_600_000), default: "20000", unit: "ms",
            help: "how long a node that is told to stop waits for others to take over its shards"),
        Setting(
            "retention-hours", .integer(0...87_600), default: "168", unit: "h",
            help: "how long records are kept; 0 keeps them for ever"),
        Setting(
            "retention-bytes", .integer(0...(1 << 50)), default: "4294967296", unit: "bytes a partition",
            help: "how much is kept; 0 sets no bound"),
        Setting(
            "snapshot-interval-ms", .integer(100...3_600_000), default: "10000", unit: "ms",
            help: "time between snapshots of a shard that moved"),
        Setting(
            "snapshot-records", .integer(100...100_000_000), default: "100000", unit: "records",
            help: "records between snapshots of a shard, if that comes first"),
        Setting(
            "batch-ms", .integer(10...60_000), default: "600", unit: "ms", aliases: ["BATCH_MS"],
            help: "how often insights go out on ws-path"),
        Setting(
            "ringbuffer-size", .integer(1...10_000_000), default: "20000", unit: "points",
            aliases: ["RINGBUFFER_SIZE"], help: "points that /api/recent reaches back over all streams"),
        Setting(
            "max-ws-buffer", .integer(10_000...(1 << 32)), default: "2000000", unit: "bytes",
            aliases: ["MAX_WS_BUFFER"], help: "how far a client of ws-path may lag before it misses frames"),
        Setting(
            "ring-bytes", .integer(65_536...(1 << 34)), default: "1048576", unit: "bytes a stream",
            help: "the newest outputs of a stream, kept in memory for clients; older ones come from the log"),
        Setting(
            "ring-bytes-total", .integer(1_048_576...(1 << 40)), default: "268435456", unit: "bytes",
            help: "the same for all streams together"),
        Setting(
            "ingest-queue-bytes", .integer(1_048_576...(1 << 36)), default: "67108864", unit: "bytes",
            help: "records that wait for the log; beyond it HTTP answers 429 and datagrams are dropped and counted"),
        Setting(
            "idle-flush-ms", .integer(10...600_000), default: "250", unit: "ms",
            help: "long rows of one instant are closed into a point after this silence, when no later row has"),
        Setting(
            "heartbeat-ms", .integer(50...60_000), default: "250", unit: "ms",
            help: "a client that is sent nothing else hears from the node this often"),
        Setting(
            "resumes-per-second", .integer(1...1_000_000), default: "2000", unit: "subscriptions/s",
            help: "how many subscriptions may begin or resume; more are told when to come back (close code 4013)"),
        Setting(
            "max-connections", .integer(1...1_000_000), default: "10000",
            help: "connections at a time; more are refused"),
        Setting(
            "track-sectors-path", .text(allowed: "a JSON file"), default: "", aliases: ["TRACK_SECTORS_PATH"],
            help: "lengths and sectors of tracks, in place of the seven built in"),
        Setting(
            "web-root", .text(allowed: "a directory"), default: "web",
            help: "the page served at /; looked for beside the program too"),
        Setting(
            "log-level", .choice(["debug", "notice", "error"]), default: "notice",
            help: "the least that is logged to stderr"),
        Setting("log-format", .choice(["text", "json"]), default: "text", help: "one line per event either way"),
        Setting(
            "fault-variant", .choice(["none"] + FaultVariant.allCases.map(\.rawValue)), default: "none",
            help: "the node does one thing wrong on purpose, so that slipstream-chaos can be tested; never set it"),
    ]

    /// The page `docs/settings.md`.
    package static func markdown() -> String {
        var page = """
            # Settings

            A flag wins over the environment, the environment over the default. A value that is not allowed stops the
            start. Written by `slipstream node --settings-table`; do not edit by hand.

            | flag | environment | default | allowed | what it sets |
            |---|---|---|---|---|

            """
        for setting in node {
            let names = ([setting.environmentName] + setting.aliases).map { "`\($0)`" }.joined(separator: ", ")
            let fallback = setting.fallback.isEmpty ? "none" : "`\(setting.fallback)`"
            let unit = setting.unit.isEmpty ? "" : " (\(setting.unit))"
            page += "| `--\(setting.name)` | \(names) | \(fallback) | \(setting.allowed)\(unit) | \(setting.help) |\n"
        }
        return page
    }
}
