import Client
import Simulation

/// A node as far as a client sees it. Wires are numbered and never used again.
protocol SimulatedNode {
    mutating func receive(_ message: [UInt8], on wire: Int, using random: inout SeededRandom)
    mutating func closed(_ wire: Int)
    /// What the node sends now.
    mutating func send(on wire: Int, using random: inout SeededRandom) -> [[UInt8]]
}

/// One session, one node, and connections between them that are slow, break at any byte, or fall silent.
struct World<Purpose: Session, Node: SimulatedNode> {
    private struct Wire {
        let id: ConnectionID
        var answersAt: Moment?
        var isAlive = true
        var isReading = true
        var toNode = Pipe()
        var toClient = Pipe()
        /// The client will hear of the break; else it must find out itself.
        var tells = true
    }

    private(set) var now: Moment = .zero
    var session: Purpose
    var node: Node
    private let reader = MessageReaderBox()
    private var wires: [Int: Wire] = [:]
    private var lastWire = 0
    /// Wires of the program before its restart are not heard any more.
    private var firstWire = 1
    private(set) var outputs: [Purpose.Output] = []
    var isHealthy = false
    private(set) var connectCount = 0

    init(_ session: Purpose, _ node: Node) {
        self.session = session
        self.node = node
    }

    // MARK: The client

    mutating func start(using random: inout SeededRandom) {
        carryOut(session.handle(.start, at: now, using: &random), using: &random)
    }

    /// The program died and begins again.
    mutating func restart(_ next: Purpose, using random: inout SeededRandom) {
        for wire in wires.keys.sorted() { breakWire(wire, using: &random) }
        firstWire = lastWire + 1
        session = next
        outputs = []
        start(using: &random)
    }

    mutating func takeOutputs() -> [Purpose.Output] {
        defer { outputs = [] }
        return outputs
    }

    mutating func carryOut(_ effects: [SessionEffect<Purpose.Output>], using random: inout SeededRandom) {
        for effect in effects {
            switch effect {
            case .output(let output): outputs.append(output)
            case .link(.connect(let id, _)): dial(id, using: &random)
            case .link(.send(let id, let text)):
                if let wire = wire(of: id), wires[wire]?.isAlive == true { wires[wire]?.toNode.write(text) }
            case .link(.disconnect(let id, _, _)):
                if let wire = wire(of: id) { breakWire(wire, using: &random) }
            case .link(.setReading(let id, let isReading)):
                if let wire = wire(of: id) { wires[wire]?.isReading = isReading }
            case .link(.report): break
            }
        }
    }

    private func wire(of id: ConnectionID) -> Int? { wires.keys.first { $0 >= firstWire && wires[$0]?.id == id } }

    private mutating func dial(_ id: ConnectionID, using random: inout SeededRandom) {
        lastWire += 1
        connectCount += 1
        var wire = Wire(id: id, answersAt: now + .milliseconds(Int.random(in: 0...20, using: &random)))
        if !isHealthy {
            switch Int.random(in: 0..<10, using: &random) {
            case 0: wire.answersAt = nil  // Nobody answers.
            case 1, 2: wire.isAlive = false  // Refused.
            default: break
            }
        }
        wires[lastWire] = wire
    }

    // MARK: Time and network

    mutating func pass(_ time: Duration, using random: inout SeededRandom) {
        now += time
        while let deadline = session.deadline, deadline <= now {
            carryOut(session.handle(.wake, at: now, using: &random), using: &random)
        }
    }

    mutating func breakWire(_ number: Int, using random: inout SeededRandom) {
        guard var wire = wires[number], wire.isAlive else { return }
        wire.toNode.cut(after: Int.random(in: 0...wire.toNode.count, using: &random))
        wire.toClient.cut(after: Int.random(in: 0...wire.toClient.count, using: &random))
        wire.isAlive = false
        wire.tells = isHealthy || Int.random(in: 0..<4, using: &random) > 0
        wires[number] = wire
    }

    /// All connections break, as when a node restarts.
    mutating func breakAll(using random: inout SeededRandom) {
        for wire in wires.keys.sorted() { breakWire(wire, using: &random) }
    }

    mutating func breakOne(using random: inout SeededRandom) {
        if let wire = wires.keys.sorted().randomElement(using: &random) { breakWire(wire, using: &random) }
    }

    /// Something moves on one wire, in either direction.
    mutating func moveSome(using random: inout SeededRandom) {
        guard let number = wires.keys.sorted().randomElement(using: &random) else { return }
        move(number, all: false, using: &random)
    }

    mutating func moveAll(using random: inout SeededRandom) {
        for number in wires.keys.sorted() { move(number, all: true, using: &random) }
    }

    private mutating func move(_ number: Int, all: Bool, using random: inout SeededRandom) {
        guard let wire = wires[number] else { return }
        if wire.isAlive, let answersAt = wire.answersAt {
            guard answersAt <= now else { return }
            wires[number]?.answersAt = nil
            tell(.opened(wire.id), number, using: &random)
            return
        }
        moveToNode(number, all, using: &random)
        moveToClient(number, all, using: &random)
        if let wire = wires[number], !wire.isAlive, wire.toNode.count == 0, wire.toClient.count == 0 || !wire.isReading
        {
            wires[number] = nil
            node.closed(number)
            if wire.tells { tell(.lost(wire.id, .broken(reason: "cut")), number, using: &random) }
        }
    }

    private mutating func moveToNode(_ number: Int, _ all: Bool, using random: inout SeededRandom) {
        guard let waiting = wires[number]?.toNode.count else { return }
        let count = all ? waiting : Int.random(in: 0...min(waiting, 2_000), using: &random)
        for message in wires[number]?.toNode.move(count) ?? [] { node.receive(message, on: number, using: &random) }
    }

    private mutating func moveToClient(_ number: Int, _ all: Bool, using random: inout SeededRandom) {
        guard let wire = wires[number], wire.isReading else { return }
        if wire.isAlive, wire.answersAt == nil {
            for message in node.send(on: number, using: &random) { wires[number]?.toClient.write(message) }
        }
        guard let waiting = wires[number]?.toClient.count else { return }
        let count = all ? waiting : Int.random(in: 0...min(waiting, 4_000), using: &random)
        for message in wires[number]?.toClient.move(count) ?? [] {
            do throws(MessageError) {
                tell(.received(wire.id, try reader.reader.read(message)), number, using: &random)
            } catch {
                tell(.garbled(wire.id, error), number, using: &random)
            }
        }
    }

    private mutating func tell(_ event: LinkEvent, _ number: Int, using random: inout SeededRandom) {
        guard number >= firstWire else { return }
        carryOut(session.handle(event, at: now, using: &random), using: &random)
    }
}

private final class MessageReaderBox {
    let reader = MessageReader()
}
