/// All scenarios, in the order in which `run all` takes them.
package enum Scenarios {
    package static let all: [Scenario] = [
        kill, freeze, drain, rollingRestart, leaderAndStandby, allNodes, corruptedSnapshot, brokerDown, brokerSlow,
        leaderMove, brokerErrors, clientResets, slowReader, poisonRecords, partition, oneWayPartition, kafkaCut,
        peersCut, packetLoss, clockJump, diskFull, rotation,
    ]

    package static func named(_ name: String) -> Scenario? { all.first { $0.name == name } }

    static let kill = Scenario(
        "kill", "kill -9 each node in turn",
        [
            at(1, .kill(1)), at(4, .start(1)), at(8, .kill(2)), at(11, .start(2)), at(15, .kill(3)), at(18, .start(3)),
        ]
    ).with { $0.isShort = true }

    static let freeze = Scenario(
        "freeze", "SIGSTOP a node for 10 s: it does not know, and its connections stay open",
        [at(1, .freeze(1)), at(11, .thaw(1))])

    static let drain = Scenario(
        "drain", "SIGTERM: a node hands over and ends, and comes again", [at(1, .drain(1)), at(6, .start(1))])

    static let rollingRestart = Scenario(
        "rolling-restart", "drain and start each node, as an upgrade does",
        [
            at(1, .drain(1)), at(5, .start(1)), at(10, .drain(2)), at(14, .start(2)), at(19, .drain(3)),
            at(23, .start(3)),
        ])

    static let leaderAndStandby = Scenario(
        "leader-and-standby", "two of three nodes at once: some shards lose all their replicas",
        [at(2, .kill(1)), at(2, .kill(2)), at(5, .start(1)), at(5, .start(2))])

    static let allNodes = Scenario(
        "all-nodes", "every node at once: only log and snapshots are left",
        [
            at(4, .kill(1)), at(4, .kill(2)), at(4, .kill(3)), at(6, .start(1)), at(6, .start(2)), at(6, .start(3)),
        ]
    ).with {
        $0.rest = 8
        $0.gapMax = 15
    }

    static let corruptedSnapshot = Scenario(
        "corrupted-snapshot", "every node at once, and the snapshots of one are damaged meanwhile",
        [
            at(5, .kill(1)), at(5, .kill(2)), at(5, .kill(3)), at(5.5, .corruptSnapshots(1)), at(6, .start(1)),
            at(6, .start(2)), at(6, .start(3)),
        ]
    ).with {
        $0.rest = 8
        $0.gapMax = 15
    }

    static let brokerDown = Scenario(
        "broker-down", "a broker goes and comes; nobody takes its partitions over, so they wait for it",
        [at(1, .brokerDown(2)), at(5, .brokerUp(2))]
    ).with { $0.isShort = true }

    static let brokerSlow = Scenario(
        "broker-slow", "all brokers answer 400 ms late", [at(1, .brokersSlow(400)), at(7, .brokersSlow(0))])

    static let leaderMove = Scenario(
        "leader-move", "all partitions get other leaders, three times",
        [at(1, .moveLeaders), at(3, .moveLeaders), at(5, .moveLeaders)])

    static let brokerErrors = Scenario(
        "broker-errors", "appends fail, some of them after they were stored",
        [
            at(1, .kafkaErrors("produce", ["request-timed-out", "not-leader", "request-timed-out"])),
            at(3, .kafkaErrors("produce", ["not-enough-replicas-after-append", "transport", "transport"])),
            at(5, .kafkaErrors("fetch", ["not-leader", "transport", "unknown-topic"])),
        ])

    static let clientResets = Scenario(
        "client-resets", "all connections of clients are reset, five times",
        [
            at(1, .resetClients), at(2, .resetClients), at(2.2, .resetClients), at(4, .resetClients),
            at(6, .resetClients),
        ]
    ).with { $0.isProxied = true }

    static let slowReader = Scenario(
        "slow-reader", "clients that are slower than their streams, and a node less",
        [at(3, .kill(1)), at(6, .start(1))]
    ).with { $0.slowClients = 2 }

    static let poisonRecords = Scenario(
        "poison-records", "records in the log that nobody can read, and a node that starts among them",
        [at(1, .poison(500)), at(2, .kill(1)), at(3, .poison(500)), at(4, .start(1)), at(5, .poison(500))]
    ).with { $0.isShort = true }

    static let partition = Scenario(
        "partition", "one node is cut off from its peers, both ways, and hears Kafka and clients still",
        [at(1, .part([1], [2, 3])), at(9, .heal)]
    ).with { $0.needs = [.root, .iptables] }

    static let oneWayPartition = Scenario(
        "one-way-partition", "what one node sends does not reach another",
        [at(1, .cutOneWay(1, 2)), at(9, .heal)]
    ).with { $0.needs = [.root, .iptables] }

    static let kafkaCut = Scenario(
        "kafka-cut", "a node does not reach Kafka, and its peers do",
        [at(1, .cutFromKafka(1)), at(9, .heal)]
    ).with {
        $0.needs = [.root, .iptables]
        $0.gapMax = 6
    }

    static let peersCut = Scenario(
        "all-apart", "no node reaches another, and all reach Kafka",
        [at(1, .part([1], [2, 3])), at(1, .part([2], [3])), at(9, .heal)]
    ).with { $0.needs = [.root, .iptables] }

    static let packetLoss = Scenario(
        "packet-loss", "10 % of all packets that nodes send are lost", [at(1, .lose(10)), at(11, .heal)]
    ).with { $0.needs = [.root, .iptables] }

    static let clockJump = Scenario(
        "clock-jump", "the wall clock of a node jumps an hour ahead, and two back",
        [at(1, .jumpClock(1, 3_600)), at(5, .jumpClock(1, -3_600)), at(9, .jumpClock(1, 0))]
    ).with { $0.needs = [.faketime] }

    static let diskFull = Scenario(
        "disk-full", "a node has no space for snapshots, is killed so, and gets space again",
        [at(1, .fillDisk(1)), at(6, .kill(1)), at(7, .start(1)), at(12, .emptyDisk(1))]
    ).with {
        $0.needs = [.root]
        $0.hasSmallDisk = true
    }

    /// Issue 3, "Must show" 1.
    static let rotation = Scenario(
        "rotation", "kill each, freeze one, a broker down and up, drain one, add a fourth, at full load",
        [
            at(1, .kill(1)), at(3, .start(1)), at(5, .settle), at(6, .kill(2)), at(8, .start(2)), at(10, .settle),
            at(11, .kill(3)), at(13, .start(3)), at(15, .settle), at(16, .freeze(1)), at(26, .thaw(1)), at(28, .settle),
            at(29, .brokerDown(2)), at(33, .brokerUp(2)), at(37, .drain(2)), at(40, .start(2)), at(42, .settle),
            at(43, .start(4)), at(45, .settle),
        ]
    ).with {
        $0.spares = 1
        $0.rate = 20_000
        $0.cars = 100
        $0.partitions = 48
        $0.gapMax = 30
        $0.rest = 8
        $0.snapshotMilliseconds = 10_000
    }
}
