import Insight
import Replication
import Sharding
import Telemetry
import Testing

@testable import Kafka

/// What a log over Kafka does beyond `PartitionedLogSuite`.
@Suite struct KafkaLogTests {
    // Start.

    @Test func `a wrong address is said within 10 s, with what to check`() throws {
        let start = ContinuousClock.now
        let error = try #require(throws: KafkaError.self) {
            try KafkaLog(try KafkaConfiguration(brokers: "127.0.0.1:1"), topic: topic, within: .seconds(1))
        }
        #expect(ContinuousClock.now - start < .seconds(10))
        #expect("\(error)".contains("no Kafka broker answers at 127.0.0.1:1"), "\(error)")
        #expect("\(error)".contains("refused"), "\(error)")
        #expect(error.isWorthWaiting)
    }

    @Test func `a topic that is not there is named, and is not made`() throws {
        try withCluster { cluster in
            for _ in 0..<2 {
                let error = try #require(throws: KafkaError.self) {
                    try KafkaLog(try configuration(cluster), topic: "telemetry.chasis")
                }
                #expect(error == .noTopic("telemetry.chasis", brokers: cluster.addresses))
                #expect(error.isWorthWaiting)
            }
        }
    }

    @Test func `a topic with another number of partitions is refused for good`() throws {
        try withCluster(partitions: 3) { cluster in
            let error = try #require(throws: KafkaError.self) {
                try KafkaLog(try configuration(cluster), topic: topic, partitionCount: 12)
            }
            #expect(error == .partitionCount(topic: topic, found: 3, expected: 12))
            #expect(!error.isWorthWaiting)
        }
    }

    @Test func `a broker that is down at the start does not matter, and all down are said and waited for`() throws {
        try withCluster(brokers: 3) { cluster in
            try cluster.setBroker(nil, isUp: false)
            let error = try #require(throws: KafkaError.self) {
                try KafkaLog(try configuration(cluster), topic: topic, within: .seconds(1))
            }
            #expect(error.isWorthWaiting, "\(error)")
            try cluster.setBroker(2, isUp: true)
            let log = try KafkaLog(try configuration(cluster), topic: topic)
            defer { log.close() }
            #expect(log.partitionCount == 3)
        }
    }

    // Append.

    @Test func `records stored through a lost acknowledgement are stored once`() throws {
        try withLog { log, cluster in
            _ = try log.append([record(0)])
            try cluster.push([.transport, .notLeader, .requestTimedOut], for: .produce)
            _ = try log.append((1..<10).map { record($0) })
            #expect(try log.endOffset(of: PartitionID(0)) == Offset(10))
        }
    }

    @Test func `an append that no broker takes says that nothing was stored, and works once they are back`() throws {
        try withLog(with: ["delivery.timeout.ms=1500"]) { log, cluster in
            _ = try log.append([record(0)])
            try cluster.setBroker(nil, isUp: false)
            let error = try #require(throws: LogError.self) { try log.append([record(1)]) }
            #expect("\(error)".contains("stored"), "\(error)")
            try cluster.setBroker(nil, isUp: true)
            _ = try log.append([record(2)])
        }
    }

    @Test
    func `an append whose acknowledgement never comes is said to be in doubt, and to be repeated with source_seq`()
        throws
    {
        try withLog(with: ["delivery.timeout.ms=1500", "request.timeout.ms=1000"]) { log, cluster in
            _ = try log.append([record(0)])
            try cluster.setDelay(ofBroker: nil, milliseconds: 4_000)
            let error = try #require(throws: LogError.self) { try log.append([record(1)]) }
            try cluster.setDelay(ofBroker: nil, milliseconds: 0)
            guard case .ambiguous = error else {
                Issue.record("\(error)")
                return
            }
            #expect("\(error)".contains("source_seq"))
        }
    }

    @Test func `a record that is too large is refused by itself`() throws {
        try withLog(with: ["message.max.bytes=10000"]) { log, _ in
            let error = try #require(throws: LogError.self) { try log.append([record(0, bytes: 20_000)]) }
            guard case .io = error else {
                Issue.record("\(error)")
                return
            }
            #expect(try log.endOffset(of: PartitionID(0)) == .zero)
        }
    }

    @Test func `appends larger than the queue wait for room`() throws {
        try withLog(with: ["queue.buffering.max.messages=50"]) { log, _ in
            let offsets = try log.append((0..<2_000).map { record($0) })
            #expect(offsets.map(\.value) == Array(0..<2_000))
        }
    }

    // Following.

    @Test func `a leader that moves and brokers that go and come lose and repeat nothing`() throws {
        try withLog { log, cluster in
            let reader = try log.makeReader()
            defer { reader.close() }
            try reader.assign(PartitionID(0), from: .zero)
            var seen = Seen()
            for round in 0..<6 {
                _ = try log.append((round * 100..<round * 100 + 100).map { record($0) })
                switch round {
                case 0: try cluster.setLeader(ofPartition: 0, in: topic, to: 2)
                case 1: try cluster.setBroker(2, isUp: false)
                case 2: try cluster.setBroker(2, isUp: true)
                case 3: try cluster.setLeader(ofPartition: 0, in: topic, to: 3)
                default: break
                }
                if round == 1 { try cluster.setLeader(ofPartition: 0, in: topic, to: 1) }
                try seen.take(from: reader) { $0.offsets[0]?.count == round * 100 + 100 }
            }
            #expect(seen.offsets[0] == Array(0..<600))
        }
    }

    @Test func `where a partition ends is asked of its new leader at once, also by who never read it`() throws {
        try withLog(brokers: 3) { log, cluster in
            for leader in 1...3 {
                try cluster.setLeader(ofPartition: 0, in: topic, to: leader)
                #expect(try log.endOffset(of: PartitionID(0)) == Offset(Int64(leader - 1)))
                _ = try log.append([record(leader)])
            }
        }
    }

    @Test func `the ends of several partitions are there again after their leaders moved`() throws {
        try withLog(brokers: 2, partitions: 2) { log, cluster in
            let all = [PartitionID(0), PartitionID(1)]
            for leader in [1, 2, 1] {
                for partition in 0..<2 { try cluster.setLeader(ofPartition: partition, in: topic, to: leader) }
                _ = try log.catalog.ends(of: all, in: topic, within: .seconds(5))
                #expect(try log.catalog.ends(of: all, in: topic, within: .seconds(5)).count == 2)
            }
        }
    }

    @Test func `an offset that retention took is said with where to go on`() throws {
        try withLog(partitions: 1, with: ["compression.type=none"]) { log, _ in
            // The mock keeps 5 MiB.
            for start in stride(from: 0, to: 160, by: 10) {
                _ = try log.append((start..<start + 10).map { record($0, bytes: 50_000) })
            }
            let earliest = try log.earliestOffset(of: PartitionID(0))
            try #require(earliest > .zero)
            var batch = LogBatch()
            #expect(throws: LogError.truncated(PartitionID(0), asked: .zero, earliest: earliest)) {
                try log.read(PartitionID(0), from: .zero, maxBytes: 100, into: &batch)
            }
            let reader = try log.makeReader()
            defer { reader.close() }
            try reader.assign(PartitionID(0), from: Offset(1))
            var seen = Seen()
            try seen.take(from: reader) { !$0.others.isEmpty }
            #expect(seen.others == [.truncated(PartitionID(0), asked: Offset(1), earliest: earliest)])
            try reader.assign(PartitionID(0), from: earliest)
            try seen.take(from: reader) { $0.ends[0] == 160 }
            #expect(seen.offsets[0] == Array(earliest.value..<160))
        }
    }

    @Test func `an out-of-range answer that is not true is not believed`() throws {
        try withLog { log, cluster in
            _ = try log.append((0..<10).map { record($0) })
            let reader = try log.makeReader()
            defer { reader.close() }
            try cluster.push([.offsetOutOfRange], for: .fetch)
            try reader.assign(PartitionID(0), from: Offset(3))
            var seen = Seen()
            try seen.take(from: reader) { $0.ends[0] == 10 }
            #expect(seen.offsets[0] == Array(3..<10))
            #expect(seen.others.isEmpty)
        }
    }

    @Test func `replays read anywhere while a reader goes on undisturbed`() throws {
        try withLog { log, _ in
            _ = try log.append((0..<500).map { record($0) })
            let reader = try log.makeReader()
            defer { reader.close() }
            try reader.assign(PartitionID(0), from: .zero)
            var seen = Seen()
            var batch = LogBatch()
            for round in 0..<5 {
                for offset in [400, 7, 7, 250, 499] {
                    try log.read(PartitionID(0), from: Offset(Int64(offset)), maxBytes: 1, into: &batch)
                    #expect(batch.offsets == [Int64(offset)])
                }
                _ = try log.append((0..<100).map { record($0) })
                try seen.take(from: reader) { $0.offsets[0]?.count == 600 + 100 * round }
            }
            #expect(seen.offsets[0] == Array(0..<1_000))
        }
    }

    @Test func `a partition whose client has stopped fetching gets a new one that goes on where it was`() throws {
        var settings = KafkaLog.Settings()
        settings.watchdogInterval = .milliseconds(100)
        try withLog(log: settings) { log, _ in
            _ = try log.append((0..<20).map { record($0, in: $0 % 2) })
            let reader = try log.makeKafkaReader()
            defer { reader.close() }
            for partition in 0..<2 { try reader.assign(PartitionID(partition), from: .zero) }
            var seen = Seen()
            try seen.take(from: reader) { $0.ends == [0: 10, 1: 10] }
            try reader.stall(PartitionID(1))
            _ = try log.append((20..<40).map { record($0, in: $0 % 2) })
            try seen.take(from: reader) { $0.ends == [0: 20, 1: 20] }
            #expect(seen.offsets == [0: Array(0..<20), 1: Array(0..<20)])
            #expect(log.metrics.consumersRecreated >= 1)
        }
    }

    @Test func `a client beyond repair is said to end the process`() throws {
        try withLog { log, _ in
            let reader = try log.makeKafkaReader()
            defer { reader.close() }
            try reader.failForGood("somebody fenced us")
            var seen = Seen()
            let error = try #require(throws: LogError.self) { try seen.take(from: reader) { _ in false } }
            guard case .fatal(let reason) = error else {
                Issue.record("\(error)")
                return
            }
            #expect(reason.contains("somebody fenced us"))
            #expect(log.health.fatal != nil)
        }
    }

    @Test func `positions are committed for lag tools`() throws {
        try withLog { log, cluster in
            _ = try log.append((0..<10).map { record($0) })
            let reader = try log.makeKafkaReader()
            defer { reader.close() }
            try reader.assign(PartitionID(0), from: .zero)
            var seen = Seen()
            try seen.take(from: reader) { $0.ends[0] == 10 }
            try log.commit([PartitionID(0): Offset(10)])
            let other = try KafkaConsumer(try configuration(cluster), topic: topic)
            defer { other.close() }
            try eventually("nothing was committed") {
                try other.committed([PartitionID(0)], within: .seconds(5)) == [PartitionID(0): Offset(10)]
            }
        }
    }

    // Lineage.

    @Test func `a topic made anew has another lineage, and a position in the old one is told from one in the new`()
        throws
    {
        func lineage(_ number: Int) throws -> UInt64? {
            try withLog { log, _ in
                _ = try log.append([record(number)])
                return try log.lineage(of: PartitionID(0))
            }
        }
        let first = try #require(try lineage(1))
        #expect(try lineage(1) == first)
        #expect(try lineage(2) != first)
    }

    @Test func `when the first record is gone the lineage is what a snapshot said, or a name for what remains`() throws
    {
        try withLog(partitions: 2, with: ["compression.type=none"]) { log, _ in
            for start in stride(from: 0, to: 160, by: 10) {
                let numbers = start..<start + 10
                _ = try log.append(numbers.flatMap { [record($0, bytes: 50_000), record($0, in: 1, bytes: 50_000)] })
            }
            #expect(try log.lineage(of: PartitionID(0)) == nil)
            log.adopt(lineage: 42, of: PartitionID(0))
            #expect(try log.lineage(of: PartitionID(0)) == 42)
            let remains = try log.lineageOfRemains(of: PartitionID(1))
            #expect(remains != nil)
            #expect(try log.lineage(of: PartitionID(1)) == remains)
            #expect(try log.lineageOfRemains(of: PartitionID(0)) == 42)
        }
    }

    @Test func `a partition that turns out to be another one forgets its lineage`() throws {
        try withLog { log, _ in
            _ = try log.append([record(0)])
            #expect(try log.isUnchanged(PartitionID(0)) == true)
            log.adopt(lineage: 42, of: PartitionID(0))
            #expect(try log.isUnchanged(PartitionID(0)) == false)
            log.forgetLineage(of: PartitionID(0))
            #expect(try log.lineage(of: PartitionID(0)) != 42)
        }
    }

    // Keys and bad records.

    @Test func `a misplaced key is served where it is and counted once`() throws {
        try withLog(partitions: 4) { log, _ in
            let right = Partitioner.partition(ofKey: "GR86-006-7", count: 4)
            let wrong = (right + 1) % 4
            _ = try log.append((0..<10).map { record($0, in: $0 < 5 ? right : wrong) } + [record(11, in: 0, key: nil)])
            let reader = try log.makeReader()
            defer { reader.close() }
            for partition in 0..<4 { try reader.assign(PartitionID(partition), from: .zero) }
            var seen = Seen()
            try seen.take(from: reader) { seen in seen.offsets.values.reduce(0) { $0 + $1.count } == 11 }
            #expect(log.metrics.misplacedKeys == 1)
        }
    }

    @Test func `what a fold cannot read goes to the dead letters with its reason, and tombstones do not`() throws {
        try withLog(partitions: 1) { log, cluster in
            try cluster.createTopic(topic + ".dlq", partitions: 1)
            var tombstone = record(0)
            tombstone.value = nil
            var broken = record(1)
            broken.value = Array("{\"chassis\":".utf8)
            _ = try log.append([tombstone, broken])
            var batch = LogBatch()
            try log.read(PartitionID(0), from: .zero, maxBytes: 1_000, into: &batch)
            var shard = Shard(partition: PartitionID(0), tracks: .builtIn)
            var scratch = FoldScratch()
            var outputs = OutputBatch()
            shard.apply(batch, decoder: RecordDecoder(), scratch: &scratch, into: &outputs)
            #expect(shard.next == Offset(2))
            #expect(scratch.refused.map(\.entry.offset) == [Offset(1)])
            log.deadLetters(scratch.refused, of: batch, in: PartitionID(0)).forEach(log.post)

            let letters = try KafkaLog(try configuration(cluster), topic: topic + ".dlq")
            defer { letters.close() }
            try eventually("no letter came") { try letters.endOffset(of: PartitionID(0)) == Offset(1) }
            try letters.read(PartitionID(0), from: .zero, maxBytes: 1_000, into: &batch)
            #expect(batch.entries.map { $0.value.map { Array(batch.bytes[$0]) } } == [broken.value])
            #expect(batch.entries.map { $0.key.map { Array(batch.bytes[$0]) } } == [broken.key])
            #expect(log.metrics.sideRecords == 1)
            #expect(log.metrics.sideRecordsLost == 0)
        }
    }
}
