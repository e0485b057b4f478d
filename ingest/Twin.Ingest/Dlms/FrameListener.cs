using System.Net;
using System.Net.Sockets;
using Twin.Grains;
using Twin.Hardware;
using Twin.Ingest.Readers;

namespace Twin.Ingest.Dlms;

/// <summary>What a listener takes, and its bounds.</summary>
public sealed record FrameListenerOptions
{
    /// <summary>The source under which pushes are appended.</summary>
    public const string Source = "dlms";

    public IPAddress Address { get; init; } = IPAddress.Loopback;

    /// <summary>0: any free one.</summary>
    public int Port { get; init; }

    public FrameIntake Intake { get; init; } = FrameIntake.Keyless;

    /// <summary>Zone of clocks that tell no distance to UTC; null: UTC.</summary>
    public ZoneRules? Zone { get; init; }

    /// <summary>Wh a count of energies in lists that tell no unit; null: such energies are left out.</summary>
    public int? ListEnergyWh { get; init; }

    public TimeProvider Clock { get; init; } = TimeProvider.System;

    /// <summary>Meters whose names the fleet has been told; shared with other receivers.</summary>
    public AnnouncedMeters Announced { get; init; } = new();

    /// <summary>How far ahead of the clock a meter's clock may be; frames beyond are rejected.</summary>
    public TimeSpan MaxAhead { get; init; } = TimeSpan.FromDays(1);

    /// <summary>Connections at once; one more is closed at once.</summary>
    public int MaxConnections { get; init; } = 256;

    /// <summary>
    /// Time between two whole frames of a connection; then it is closed. Bytes alone do not count: a frame that
    /// trickles in holds its place no longer than silence would.
    /// </summary>
    public TimeSpan IdleTimeout { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>Frames of one connection that could not be taken; then it is closed. Each is counted.</summary>
    public int MaxFaults { get; init; } = 100;

    /// <summary>Takes what a person should know.</summary>
    public Action<string>? Message { get; init; }
}

/// <summary>Counters since the start.</summary>
public sealed record FrameListenerStatus(int Open, long Accepted, long Refused, long TimedOut, long Valid,
    long Rejected);

/// <summary>
/// Takes pushes over TCP with the wrapper of IEC 62056-47. Each connection has a task, a buffer and a batch of its own,
/// and reads no further until its batch is durable: a slow disk slows senders down, a slow or hostile sender slows
/// nobody. A push that asks for it (service class <i>confirmed</i>) is confirmed after the commit; others, and ciphered
/// ones, are acknowledged by nothing but TCP. When the journal cannot commit, the connection is closed unconfirmed.
/// </summary>
public sealed class FrameListener : IAsyncDisposable
{
    private readonly IFleet _fleet;
    private readonly FrameListenerOptions _options;
    private readonly Socket _socket;
    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _lock = new();
    private readonly HashSet<Task> _connections = [];
    private readonly Task _accepting;
    private int _disposed;
    private long _accepted, _refused, _timedOut, _valid, _rejected;

    private FrameListener(IFleet fleet, FrameListenerOptions options, Socket socket)
    {
        (_fleet, _options, _socket) = (fleet, options, socket);
        _accepting = Accept();
    }

    /// <summary>Listens.</summary>
    /// <exception cref="IOException">The port cannot be had; the message says what to do.</exception>
    public static FrameListener Start(IFleet fleet, FrameListenerOptions options)
    {
        var socket = new Socket(options.Address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Bind(new IPEndPoint(options.Address, options.Port));
            socket.Listen(128);
        }
        catch (SocketException e)
        {
            socket.Dispose();
            throw new IOException($"The DLMS receiver cannot listen on {options.Address}:{options.Port} ({e.Message}). "
                + "Use another --dlms-port, or 0 for any free one.", e);
        }
        return new FrameListener(fleet, options, socket);
    }

    public int Port => ((IPEndPoint)_socket.LocalEndPoint!).Port;

    public FrameListenerStatus Status
    {
        get
        {
            lock (_lock)
                return new FrameListenerStatus(_connections.Count, _accepted, _refused, _timedOut, _valid, _rejected);
        }
    }

    private async Task Accept()
    {
        while (!_stop.IsCancellationRequested)
        {
            Socket peer;
            try
            {
                peer = await _socket.AcceptAsync(_stop.Token);
            }
            catch (OperationCanceledException)
            {
                return;
            }
            catch (SocketException e)
            {
                // A peer that was gone before it was accepted, or no descriptors left: the others go on.
                _options.Message?.Invoke($"A DLMS connection could not be accepted: {e.Message}");
                continue;
            }
            Admit(peer);
        }
    }

    private void Admit(Socket peer)
    {
        lock (_lock)
        {
            if (_connections.Count >= _options.MaxConnections)
            {
                _refused++;
                peer.Dispose();
                return;
            }
            _accepted++;
            // Task.Run: the first read must not run under the lock.
            var connection = Task.Run(() => Serve(peer));
            _connections.Add(connection);
            _ = connection.ContinueWith(Forget, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously,
                TaskScheduler.Default);
        }
    }

    private void Forget(Task connection)
    {
        lock (_lock) _connections.Remove(connection);
    }

    private async Task Serve(Socket peer)
    {
        using var _ = peer;
        var connection = new FrameConnection(_fleet, _options, peer);
        try
        {
            await connection.Run((valid, rejected) =>
            {
                lock (_lock) (_valid, _rejected) = (_valid + valid, _rejected + rejected);
            }, _stop.Token);
        }
        catch (TimeoutException)
        {
            lock (_lock) _timedOut++;
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException)
        {
            // We stop, or the peer is gone: what was committed is committed.
        }
        catch (StorageUnavailableException e)
        {
            _options.Message?.Invoke($"A DLMS connection was closed unconfirmed: {e.Message}");
        }
    }

    /// <summary>Takes no more connections, and waits until what is under way is durable.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0) return;
        await _stop.CancelAsync();
        await _accepting;
        Task[] open;
        lock (_lock) open = [.. _connections];
        await Task.WhenAll(open);
        _socket.Dispose();
        _stop.Dispose();
    }
}
