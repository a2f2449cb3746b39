import Delivery
import Replication
import Sharding
import Storage
import Telemetry
import Web

/// What operators read: `/v1/cluster` and `/metrics`. The state of shards is asked of the replica's thread.
extension Service {
    /// `?streams=off` leaves out what the replica has to hash for it: the answer is at hand then.
    func answerCluster(_ request: HTTPRequest, _ exchange: HTTPExchange) {
        let config = node.config
        let picture = node.cluster?.picture
        if let picture, request.queryValue("streams") == "off" {
            return exchange.respond(.json(ClusterPage(config, picture).json))
        }
        ask(exchange) { shards, reports in
            .json(ClusterPage(config, picture ?? ClusterPicture(alone: config.nodeID, reports), shards).json)
        }
    }

    /// A shard's state as it is now, for a peer that begins to host it.
    func answerState(of shard: String, _ exchange: HTTPExchange) {
        guard let number = Int(shard), (0..<node.config.partitions).contains(number) else {
            return exchange.respond(
                .failure(404, "no_such_shard", "shard is \(shard); it must be in 0..<\(node.config.partitions)"))
        }
        let token = takeToken()
        exchanges[token] = exchange
        let inbox = node.inbox
        node.replica.askState(of: PartitionID(number)) { state in
            let response =
                state.map {
                    HTTPResponse(status: 200, headers: [("content-type", "application/octet-stream")], body: $0)
                }
                ?? .failure(404, "not_live", "shard \(number) is not live here")
            inbox.post(.answer(token, response))
        }
    }

    func answerMetrics(_ exchange: HTTPExchange) {
        var page = MetricsPage()
        add(to: &page)
        let own = page
        ask(exchange) { shards, _ in
            var page = own
            page.add(shards)
            return .text(page.text, type: "text/plain; version=0.0.4; charset=utf-8")
        }
    }

    private func ask(
        _ exchange: HTTPExchange, _ answer: @escaping @Sendable ([ShardStatus], [HostedReport]) -> HTTPResponse
    ) {
        let token = takeToken()
        exchanges[token] = exchange
        let inbox = node.inbox
        node.replica.ask { inbox.post(.answer(token, answer($0, $1))) }
    }

    private func add(to page: inout MetricsPage) {
        page.add("up_seconds", .gauge, "Time since the start.", upSeconds)
        page.add("ready", .gauge, "1 when all shards are live.", isLive && node.departure.phase == .serving ? 1.0 : 0.0)
        page.add("records_accepted_total", .counter, "Telemetry records taken by the gateways.", acceptedTotal)
        page.add(
            "records_refused_total", .counter, "Telemetry records refused by the gateways.",
            Refusal.Reason.allCases.map { ([("reason", $0.rawValue)], Double(metrics.refused[$0] ?? 0)) })
        page.add(
            "ingest_overloaded_total", .counter, "Bodies turned away: the log's queue was full.", metrics.overloaded)
        page.add("log_appends_failed_total", .counter, "Bodies the log could not store.", metrics.appendsFailed)
        page.add("udp_datagrams_total", .counter, "Datagrams received.", node.udpCounts.received)
        page.add(
            "udp_dropped_total", .counter, "Datagrams dropped: the log's queue was full.", node.udpCounts.dropped)
        page.add("udp_refused_total", .counter, "Records in datagrams that were refused.", node.udpCounts.refused)
        page.add("outputs_total", .counter, "Points, insights and alerts taken into the rings.", metrics.outputs)
        page.add(
            "clients", .gauge, "Open WebSocket connections.",
            [
                ([("path", "stream")], Double(hub.sessionCount)), ([("path", "realtime")], Double(feed.clientCount)),
            ])
        page.add("frames_sent_total", .counter, "Frames sent on /v1/stream.", hub.counters.framesSent)
        page.add("frames_sent_bytes_total", .counter, "Bytes sent on /v1/stream.", hub.counters.bytesSent)
        page.add("realtime_frames_missed_total", .counter, "Frames slow clients missed.", feed.framesMissed)
        page.add("replays_total", .counter, "Readers served from the log.", hub.counters.replays)
        page.add("resyncs_total", .counter, "Readers told that something is gone.", hub.counters.resyncs)
        page.add("clients_stalled_total", .counter, "Clients closed for not reading.", hub.counters.stalled)
        page.add(
            "subscriptions_postponed_total", .counter, "Subscriptions told to come back: too many began at once.",
            beginnings.refused)
        page.add("protocol_violations_total", .counter, "Messages outside the protocol.", metrics.violations)
        page.add("http_requests_total", .counter, "HTTP requests.", metrics.requests)
        let ringBytes = hub.streams.values.reduce(0) { $0 + $1.ring.bytesReserved }
        page.add("ring_memory_bytes", .gauge, "Memory of all rings.", Double(ringBytes))
        let log = node.writer.metrics
        page.add("log_commits_total", .counter, "Commits of the log, each synced to disk.", UInt64(log.commits))
        page.add("log_commits_failed_total", .counter, "Commits that stored nothing.", UInt64(log.commitsFailed))
        page.add("log_commit_seconds_total", .counter, "Time spent in commits.", log.commitSeconds)
        page.add("log_commit_seconds_max", .gauge, "The longest commit.", log.commitSecondsMax)
        page.add("log_queue_bytes", .gauge, "Records that wait for the log.", UInt64(log.queueBytes))
        node.kafka?.add(to: &page)
        let snapshots = node.replica.snapshotCounts
        page.add("snapshots_saved_total", .counter, "Snapshots stored.", snapshots.saved)
        page.add("snapshots_failed_total", .counter, "Snapshots that could not be stored.", snapshots.failed)
        if let cluster = node.cluster {
            page.add(cluster.audit)
            page.add(
                "shards_held_back", .gauge, "Shards in which others are further and nothing comes from the log here.",
                UInt64(view.standing.count))
        }
        guard node.kafka != nil else { return }
        page.add(
            "snapshots_shared_total", .counter, "Snapshots written to the snapshot topic by this node.",
            snapshots.shared)
        page.add(
            "snapshots_shared_failed_total", .counter, "Snapshots that the snapshot topic did not take.",
            snapshots.sharedFailed)
    }

    private var upSeconds: Double {
        Double(Timestamp.monotonic.microseconds - metrics.startedAt.microseconds) / 1_000_000
    }
}

extension MetricsPage {
    fileprivate mutating func add(_ audit: ReplicaAudit.Counts) {
        add("state_divergences_total", .counter, "Times replicas of a shard differed.", audit.divergences)
        add("shards_rebuilt_total", .counter, "Shards made anew here, for they differed.", audit.rebuilds)
        add(
            "state_divergence_offset", .gauge, "Where replicas of a shard differed last.",
            audit.newest.sorted { $0.key < $1.key }.map { shard, divergence in
                let nodes = divergence.hashes.map(\.node.name).joined(separator: ",")
                return ([("partition", "\(shard)"), ("nodes", nodes)], Double(divergence.offset))
            })
    }

    fileprivate mutating func add(_ shards: [ShardStatus]) {
        func perShard(_ value: (ShardStatus) -> Double) -> [(labels: [(String, String)], value: Double)] {
            shards.map { ([("partition", "\($0.partition)")], value($0)) }
        }
        add("shard_offset", .gauge, "Offset of the next record to apply.", perShard { Double($0.next.value) })
        add("shard_streams", .gauge, "Streams of the shard.", perShard { Double($0.streams.count) })
        add(
            "shard_points", .gauge, "Points of all streams of the shard.",
            perShard { Double($0.streams.reduce(0) { $0 + $1.seq }) })
        add(
            "log_records_lost_total", .counter, "Log records gone before they were applied.",
            shards.reduce(0) { $0 + Double($1.accounting.lost) })
        add(
            "log_records_refused_total", .counter, "Records in the log that could not be read.",
            Refusal.Reason.allCases.map { reason in
                ([("reason", reason.rawValue)], shards.reduce(0) { $0 + Double($1.accounting.refused[reason] ?? 0) })
            })
        add(
            "repeats_dropped_total", .counter, "Records dropped because their publisher had sent them before.",
            shards.reduce(0) { $0 + Double($1.streams.reduce(0) { $0 + $1.repeats }) })
    }
}
