import Compression
import Delivery
import Foundation
import Insight
import JSON
import Kafka
import Replication
import Storage
import Synchronization
import Telemetry
import Threads
import Web

import enum Sharding.Partitioner

/// One node: a log, a replica of the shards it hosts, gateways and the hub, each on its thread.
///
/// A record's way: gateway → log writer → log → replica → inbox → hub. One direction, no step skipped: what a client sees
/// is what a restart would see. With Kafka as the log it is one of many and hosts what falls to it; without, the log is
/// embedded and it hosts all.
package final class Node: @unchecked Sendable {
    // `@unchecked`: `server` and `service` belong to the serving thread once `run` is called; what other threads use of
    // them (`wake`, `stop`) is made for that. Everything else is `let` and `Sendable`.
    package let config: NodeConfig
    package let journal: Log
    private let log: any FollowableLog
    private let snapshots: SQLiteSnapshotStore
    private let writer: LogWriter
    private let inbox: ServiceInbox
    private let replica: ReplicaThread
    private let replays: ReplayThread
    private let udp: UDPListener?
    private let cluster: Cluster?
    private let upkeep: KafkaUpkeep?
    private let sharedSnapshots: SharedSnapshots?
    private let server: WebServer
    private let service: Service
    private let departure = Departure()
    private let stopRequested = Atomic(false)

    /// Opens everything; nothing runs yet. Waits for a Kafka that is not there yet.
    /// - Throws: `NodeError` naming what is in the way and what to do.
    package init(_ given: NodeConfig) throws(NodeError) {
        journal = Log(
            level: given.logLevel, isJSON: given.logsJSON, node: given.nodeID,
            incarnation: Timestamp.wall.microseconds / 1_000)
        let tracks = try Node.tracks(given)
        var config = given
        let kafkaLog: KafkaLog?
        if let kafka = given.kafka {
            let opened = try KafkaOpening.open(given, kafka, journal)
            log = opened.log
            kafkaLog = opened.log
            config.port = opened.port ?? given.port
        } else {
            log = try Node.openLog(given)
            kafkaLog = nil
        }
        config.partitions = log.partitionCount
        self.config = config
        do throws(LogError) {
            snapshots = try SQLiteSnapshotStore(directory: config.dataDirectory + "/snapshots")
            var queue = LogWriter.Settings()
            queue.queueBytesMax = config.ingestQueueBytes
            writer = try LogWriter(log, settings: queue)
        } catch { throw .log(error) }
        let relay = Relay()
        inbox = ServiceInbox { relay.server?.wake() }
        let (inbox, journal) = (inbox, journal)
        cluster = try config.kafka.map { kafka throws(NodeError) in
            try Cluster(config, kafka, inbox: inbox, journal: journal)
        }
        sharedSnapshots = try Node.sharedSnapshots(config, journal)
        let stores = [snapshots as any SnapshotStore] + [sharedSnapshots].compactMap { $0 }
        replays = ReplayThread(
            .init(log: log, snapshots: stores, tracks: tracks, journal: journal) { [config] stream in
                PartitionID(Partitioner.partition(ofKey: Array(stream.id.utf8), count: config.partitions))
            })
        var environment = Node.environment(config, log, snapshots, tracks, inbox, journal, relay)
        environment.variant = config.faultVariant
        if let variant = config.faultVariant {
            journal.error("a fault was asked for: this node does one thing wrong", [.reason: variant.rawValue])
        }
        if let cluster, let kafkaLog {
            upkeep = Node.joinCluster(&environment, config, cluster, kafkaLog, sharedSnapshots)
        } else {
            upkeep = nil
        }
        do throws(LogError) { replica = try ReplicaThread(environment) } catch { throw .log(error) }
        relay.writer = writer
        udp = try config.udpPort.map { port throws(NodeError) in try UDPListener(host: config.host, port: port) }
        service = Service(
            ServiceContext(
                config: config, journal: journal, inbox: inbox, writer: writer, replica: replica, replays: replays,
                udp: udp, cluster: cluster, kafka: upkeep, departure: departure, variant: environment.variant,
                stop: { relay.server?.stop() },
                drain: { relay.drain?() },
                setTimer: { relay.server?.setTimer(microseconds: $0) }))
        do throws(WebError) {
            server = try WebServer(Node.webConfiguration(config), handler: service)
        } catch { throw .web(error) }
        relay.server = server
        relay.drain = { [weak self] in self?.drain() }
    }

    /// Shards restored at a time: to restore one is mostly to wait for answers of the log and of peers.
    private static let restorers = 6

    package var port: Int { server.port }
    package var udpPort: Int? { udp?.port }

    /// Serves until `stop`; returns when everything is stored.
    package func run() throws(NodeError) {
        do throws(LogError) {
            var threads = [
                try Worker.start("replica") { self.replica.run() },
                try Worker.start("replays") { self.replays.run() },
                try upkeep.map { upkeep throws(LogError) in try Worker.start("kafka upkeep") { upkeep.run() } },
            ]
            for _ in 0..<Node.restorers {
                threads.append(try Worker.start("restorer") { self.replica.restorations() })
            }
            let datagrams = try udp.map { udp throws(LogError) in try Worker.start("udp") { self.listen(udp) } }
            if let cluster {
                try cluster.begin(port: port, replica: replica)
            } else {
                replica.host(Set((0..<config.partitions).map(PartitionID.init)))
            }
            service.arm()
            journal.notice(
                "listening",
                [
                    .address: "\(config.host):\(port)", .udp: udpPort.map { "\(config.host):\($0)" } ?? "off",
                    .path: config.dataDirectory,
                ])
            server.run()
            udp?.stop()
            datagrams?.join()
            writer.close()
            inbox.close()
            replica.stop()
            replays.stop()
            upkeep?.stop()
            threads.forEach { $0?.join() }
        } catch { throw .log(error) }
        cluster?.end()
        sharedSnapshots?.close()
        log.close()
        snapshots.close()
        journal.notice("stopped")
        if let fault = cluster?.fault { throw fault }
        if let fault = replica.fault ?? upkeep?.fault { throw .log(fault) }
    }

    /// Ends `run`: others take over its shards, clients are told, what was taken is stored, snapshots are taken. A second
    /// call does not wait for the others. May be called from any thread.
    package func stop() {
        let isFirst = !stopRequested.exchange(true, ordering: .relaxed)
        if isFirst { drain() } else { server.stop() }
    }

    /// As `stop`, and a second call does nothing.
    private func drain() {
        guard let cluster else { return server.stop() }
        guard departure.begin() else { return }
        let (server, departure, inbox) = (server, departure, inbox)
        Thread.detachNewThread {
            departure.run(cluster, inbox)
            server.stop()
        }
    }

    private func listen(_ udp: UDPListener) {
        udp.run(gateway: Gateway(partitions: config.partitions), journal: journal) { records in
            writer.offer(records) { [journal] result in
                if case .failure(let error) = result {
                    journal.error("datagrams lost", [.reason: "\(error)", .records: "\(records.count)"])
                }
            }
        }
    }
}

/// Lets threads that begin before the server wake it.
private final class Relay: @unchecked Sendable {
    // `@unchecked`: set once, before any thread that reads it is started.
    var server: WebServer?
    var writer: LogWriter?
    var drain: (@Sendable () -> Void)?
}

// MARK: Parts

extension Node {
    private static func tracks(_ config: NodeConfig) throws(NodeError) -> TrackTable {
        guard let path = config.trackSectorsPath else { return .builtIn }
        return try TrackFile.read(path)
    }

    private static func openLog(_ config: NodeConfig) throws(NodeError) -> any FollowableLog {
        var settings = SQLiteLog.Settings()
        settings.partitionCount = config.partitions
        settings.retention = Retention(
            age: config.retentionHours > 0 ? .seconds(config.retentionHours * 3_600) : nil,
            bytesPerPartition: config.retentionBytes > 0 ? config.retentionBytes : nil)
        do throws(LogError) {
            return try SQLiteLog(
                directory: config.dataDirectory + "/log", topic: config.topic, settings: settings,
                clock: { .wall })
        } catch { throw .log(error) }
    }

    private static func environment(
        _ config: NodeConfig, _ log: any FollowableLog, _ snapshots: SQLiteSnapshotStore, _ tracks: TrackTable,
        _ inbox: ServiceInbox, _ journal: Log, _ relay: Relay
    ) -> ReplicaThread.Environment {
        .init(
            log: log, snapshots: snapshots, tracks: tracks, inbox: inbox, journal: journal,
            snapshotPolicy: SnapshotPolicy(
                intervalMicroseconds: Int64(config.snapshotIntervalMilliseconds) * 1_000,
                records: config.snapshotRecords),
            idleFlush: .milliseconds(config.idleFlushMilliseconds),
            requestFlush: { partition, streams in
                let records = streams.map { stream in
                    let key = Array(stream.id.utf8)
                    return NewRecord(
                        partition: partition, key: key, value: ControlRecord.flush.bytes, timestamp: .wall)
                }
                // A full queue means that rows are coming: they will close the points.
                _ = relay.writer?.offer(records) { _ in }
            })
    }

    private static func fault(_ journal: Log) -> CorruptionFault? {
        guard let text = ProcessInfo.processInfo.environment[CorruptionFault.variable] else { return nil }
        let fault = CorruptionFault(text)
        if fault == nil {
            journal.error("SLIPSTREAM_FAULT_CORRUPT_SHARD is not shard@offset", [.reason: text])
        }
        return fault
    }

    /// Asked for at once, for shards are restored from it; if it is not there it may come later.
    private static func sharedSnapshots(_ config: NodeConfig, _ journal: Log) throws(NodeError) -> SharedSnapshots? {
        guard let kafka = config.kafka, let topic = kafka.snapshotTopic else { return nil }
        let snapshots: SharedSnapshots
        do throws(KafkaError) {
            snapshots = SharedSnapshots(
                try KafkaConfiguration(brokers: kafka.brokers, settings: kafka.settings, properties: kafka.properties),
                topic: topic, of: kafka.topic, journal: journal)
        } catch { throw .kafka(error) }
        // The upkeep says why when it is not there.
        do throws(KafkaError) { try snapshots.open() } catch { return snapshots }
        return snapshots
    }

    /// What a replica does and gives as one of several.
    private static func joinCluster(
        _ environment: inout ReplicaThread.Environment, _ config: NodeConfig, _ cluster: Cluster, _ log: KafkaLog,
        _ snapshots: SharedSnapshots?
    ) -> KafkaUpkeep {
        let (inbox, leads) = (environment.inbox, { @Sendable partition in cluster.leads(partition) })
        let side = SideOutputs(log, insightsTopic: config.kafka?.insightsTopic, tracks: environment.tracks) {
            cluster.isLedElsewhere($0)
        }
        let upkeep = KafkaUpkeep(
            .init(
                log: log, side: side, snapshots: snapshots, journal: environment.journal, leads: leads,
                failed: { inbox.post(.failed) }))
        environment.sharedSnapshots = snapshots
        environment.peerState = { cluster.states.state(of: $0, trusted: $1) }
        environment.fault = fault(environment.journal)
        environment.leads = leads
        environment.side = side
        environment.report = { reports in
            cluster.reports(reports)
            upkeep.reports(reports)
        }
        return upkeep
    }

    private static func webConfiguration(_ config: NodeConfig) -> WebServerConfiguration {
        var web = WebServerConfiguration()
        web.host = config.host
        web.port = config.port
        web.maxBodyBytes = Limits.bodyBytes
        web.maxMessageBytes = Limits.bodyBytes
        web.maxConnections = config.maxConnections
        web.webSocketPaths = [config.realtimePath, "/v1/stream", PeerMessage.path]
        return web
    }
}
