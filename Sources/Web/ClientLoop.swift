import CWebSockets
import Foundation
import Synchronization

/// The client's thread: serves its connections and carries out what other threads ask for.
///
/// `@unchecked Sendable`: other threads use the C handle only to interrupt, under `isAlive`; `slots` belongs to the loop's
/// thread.
final class ClientLoop: @unchecked Sendable {
    enum Command: Sendable {
        case open(any ClientConnection)
        case update(any ClientConnection)
    }

    private let tables = ClientTables()
    private let context: OpaquePointer
    /// The context exists.
    private let isAlive = Mutex(true)
    private let vhost: OpaquePointer
    private let commands = Mutex<[Command]>([])
    private let isStopping = Atomic(false)
    private var slots: [ObjectIdentifier: ClientSlot] = [:]

    init() throws(WebError) {
        guard let context = tables.makeContext() else { throw .startFailed(reason: "the web library refused") }
        guard let vhost = tables.makeVhost(in: context) else {
            lws_context_destroy(context)
            throw .startFailed(reason: "the web library refused a client")
        }
        self.context = context
        self.vhost = vhost
        tables.anchor.pointee.owner = Unmanaged.passUnretained(self).toOpaque()
    }

    func start() {
        let thread = Thread { self.run() }
        thread.name = "web client"
        thread.start()
    }

    func stop() {
        isStopping.store(true, ordering: .releasing)
        interrupt()
    }

    /// Only the first of a row of commands interrupts the loop: it takes all there are.
    func submit(_ command: Command) {
        let isFirst = commands.withLock { commands in
            commands.append(command)
            return commands.count == 1
        }
        if isFirst { interrupt() }
    }

    /// Carries out what other threads have asked for.
    func interrupted() {
        let due = commands.withLock { commands in
            defer { commands = [] }
            return commands
        }
        for command in due {
            switch command {
            case .open(let connection): open(connection)
            case .update(let connection):
                if let wsi = slots[ObjectIdentifier(connection)]?.wsi { connection.update(wsi) }
            }
        }
    }

    /// The library has forgotten the handle; no event comes for it any more.
    func destroyed(_ slot: ClientSlot) {
        slots[ObjectIdentifier(slot.connection)] = nil
        slot.connection.finish(.closed(code: nil, reason: "connection lost"))
    }

    private func interrupt() {
        let isHeard = isAlive.withLock { isAlive in
            if isAlive { lws_cancel_service(context) }
            return isAlive
        }
        if !isHeard { refuseCommands() }
    }

    private func run() {
        while !isStopping.load(ordering: .acquiring) {
            guard lws_service(context, 0) >= 0 else { break }
        }
        isAlive.withLock { $0 = false }
        for slot in slots.values { slot.connection.finish(.shutDown) }
        lws_context_destroy(context)
        slots = [:]
        refuseCommands()
    }

    private func refuseCommands() {
        let late = commands.withLock { commands in
            defer { commands = [] }
            return commands
        }
        for case .open(let connection) in late { connection.finish(.shutDown) }
    }

    private func open(_ connection: any ClientConnection) {
        let slot = ClientSlot(connection)
        slots[ObjectIdentifier(connection)] = slot
        guard let wsi = tables.connect(slot, in: context, vhost) else {
            slots[ObjectIdentifier(connection)] = nil
            return connection.finish(.failed(reason: "the host name is not known, or no socket is free"))
        }
        guard slots[ObjectIdentifier(connection)] != nil else { return }  // It has already failed.
        slot.wsi = wsi
        lws_set_timer_usecs(wsi, connection.timeout.microseconds)
        connection.update(wsi)  // Whatever was asked for before there was a handle.
    }
}

extension Duration {
    var microseconds: Int64 {
        let (seconds, attoseconds) = components
        return seconds * 1_000_000 + attoseconds / 1_000_000_000_000
    }
}
