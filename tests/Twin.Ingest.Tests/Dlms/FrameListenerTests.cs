using System.Net;
using System.Net.Sockets;
using Twin.Grains;
using Twin.Grains.Ledger;
using Twin.Hardware;
using Twin.Ingest.Dlms;

namespace Twin.Ingest.Tests.Dlms;

/// <summary>Real sockets, a clock that stands, and a fleet that commits when it is told to.</summary>
public sealed class FrameListenerTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly ManualTime _clock = new(DateTimeOffset.FromUnixTimeSeconds(Frames.Noon.Seconds + 5));

    private sealed class GatedFleet : IFleet
    {
        private readonly SemaphoreSlim _entered = new(0);
        private readonly SemaphoreSlim _gate = new(0);

        public List<byte[]> Inputs { get; } = [];
        public bool IsOpen { get; init; } = true;
        public bool IsBroken { get; init; }

        public Task Entered() => _entered.WaitAsync().WaitAsync(Patience);
        public void Commit() => _gate.Release();

        public async ValueTask<AppendReceipt> Append(InputBatch batch, CancellationToken cancel)
        {
            _entered.Release();
            if (IsBroken) throw new StorageUnavailableException("the disk is full", null);
            if (!IsOpen) await _gate.WaitAsync(cancel);
            lock (Inputs)
                for (var i = 0; i < batch.Count; i++) Inputs.Add(batch[i].ToArray());
            return new AppendReceipt(new Admission[batch.Count], Inputs.Count);
        }

        public ValueTask<byte[]?> State(TwinKey key, AsOf asOf, CancellationToken cancel) => throw No();
        public ValueTask<IReadOnlyList<TwinKey>> Keys(TwinKind kind, ulong after, int limit, CancellationToken cancel)
            => throw No();
        public ILedgerSource Ledger => throw No();
        public ValueTask<IReadOnlyList<Finding>> Findings(FindingQuery query, CancellationToken cancel) => throw No();
        public ValueTask Series(MeterId meter, Channel channel, int fromDay, int toDay, UnixTime? knownAt,
        DayVisitor visit, CancellationToken cancel) => throw No();
        public ValueTask<IReadOnlyList<(int Day, byte[] Body)>> Publications(TwinKey from, int fromDay, int toDay,
            UnixTime? knownAt, CancellationToken cancel) => throw No();

        public ValueTask<string> StateHash(CancellationToken cancel) => throw No();
        public FleetStatus Status => throw No();
        public ValueTask DisposeAsync() => ValueTask.CompletedTask;

        private static NotSupportedException No() => new("A receiver only appends.");
    }

    private FrameListener Listen(IFleet fleet, Func<FrameListenerOptions, FrameListenerOptions>? change = null)
    {
        var options = new FrameListenerOptions { Clock = _clock };
        return FrameListener.Start(fleet, change is null ? options : change(options));
    }

    private static async Task<Socket> Connect(FrameListener listener)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(IPAddress.Loopback, listener.Port);
        return socket;
    }

    private static async Task<byte[]> Received(Socket socket)
    {
        var buffer = new byte[256];
        try
        {
            var n = await socket.ReceiveAsync(buffer).WaitAsync(Patience);
            return buffer[..n];
        }
        catch (SocketException)
        {
            // Closed with something of ours unread: a reset says the same.
            return [];
        }
    }

    private static byte[] Push(string serial) => Frames.Wrapped(Frames.Notification(Frames.List(serial, 6)));

    [Fact]
    public async Task A_push_that_asks_is_confirmed_after_the_commit_and_not_before()
    {
        var fleet = new GatedFleet { IsOpen = false };
        await using var listener = Listen(fleet);
        using var socket = await Connect(listener);
        await socket.SendAsync(Push("SN5"));
        await fleet.Entered();
        var answer = Received(socket);
        Assert.False(answer.IsCompleted);
        Assert.Equal(0, socket.Available);
        fleet.Commit();
        // Ports exchanged; data-notification-confirm, the long invoke id, no time.
        Assert.Equal("00010066000100061040000001" + "00", Convert.ToHexString(await answer));
        Assert.Equal([InputKind.MeterSeen, InputKind.RegisterSnapshot],
            fleet.Inputs.Select(static i => Envelope.Read(i).Kind));
        Assert.Equal((1, 1L, 1L, 0L), (listener.Status.Open, listener.Status.Accepted, listener.Status.Valid,
            listener.Status.Rejected));
    }

    [Fact]
    public async Task When_the_journal_cannot_commit_the_connection_is_closed_unconfirmed()
    {
        var fleet = new GatedFleet { IsBroken = true };
        var messages = new List<string>();
        await using (var listener = Listen(fleet, o => o with { Message = m => { lock (messages) messages.Add(m); } }))
        {
            using var socket = await Connect(listener);
            await socket.SendAsync(Push("SN5"));
            Assert.Empty(await Received(socket));
        }
        Assert.Contains("the disk is full", Assert.Single(messages));
    }

    [Fact]
    public async Task A_frame_in_pieces_and_many_in_one_are_all_taken()
    {
        var fleet = new GatedFleet();
        await using var listener = Listen(fleet);
        using var socket = await Connect(listener);
        var push = Push("SN5");
        await socket.SendAsync(push.AsMemory(0, 11));
        using (var other = await Connect(listener))
        {
            await other.SendAsync(Enumerable.Range(0, 40).SelectMany(static i => Push($"SN{i}")).ToArray());
            for (var confirmed = 0; confirmed < 40 * 14;) confirmed += (await Received(other)).Length;
        }
        await socket.SendAsync(push.AsMemory(11));
        Assert.Equal(14, (await Received(socket)).Length);
        Assert.Equal(41, fleet.Inputs.Count(static i => Envelope.Read(i).Kind == InputKind.RegisterSnapshot));
    }

    [Fact]
    public async Task A_stream_that_is_no_wrapper_is_closed_and_counted()
    {
        await using var listener = Listen(new GatedFleet());
        using var socket = await Connect(listener);
        await socket.SendAsync("GET / HTTP/1.1\r\n\r\n"u8.ToArray());
        Assert.Empty(await Received(socket));
        Assert.Equal((0L, 1L), (listener.Status.Valid, listener.Status.Rejected));
    }

    [Fact]
    public async Task A_peer_of_many_bad_frames_is_closed()
    {
        var fleet = new GatedFleet();
        await using var listener = Listen(fleet, static o => o with { MaxFaults = 3 });
        using var socket = await Connect(listener);
        var bad = Frames.Wrapped([0x0F, 1, 2]);
        await socket.SendAsync(Enumerable.Repeat(bad, 20).SelectMany(static b => b).ToArray());
        Assert.Empty(await Received(socket));
        Assert.Equal(3, listener.Status.Rejected);
        Assert.Empty(fleet.Inputs);
    }

    [Fact]
    public async Task Silence_and_trickling_bytes_end_at_the_idle_timeout()
    {
        await using var listener = Listen(new GatedFleet(), static o => o with
        {
            IdleTimeout = TimeSpan.FromSeconds(60),
        });
        using var socket = await Connect(listener);
        await _clock.TimerSet().WaitAsync(Patience);
        _clock.Advance(TimeSpan.FromSeconds(40));
        await socket.SendAsync(Push("SN5").AsMemory(0, 9));
        // The byte was read and the next read waits for what is left of the minute.
        await _clock.TimerSet().WaitAsync(Patience);
        var closed = Received(socket);
        _clock.Advance(TimeSpan.FromSeconds(19));
        Assert.False(closed.IsCompleted);
        _clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Empty(await closed);
        Assert.Equal(1, listener.Status.TimedOut);
    }

    [Fact]
    public async Task One_connection_too_many_is_closed_and_the_others_go_on()
    {
        await using var listener = Listen(new GatedFleet(), static o => o with { MaxConnections = 1 });
        using var first = await Connect(listener);
        await _clock.TimerSet().WaitAsync(Patience);
        using var second = await Connect(listener);
        Assert.Empty(await Received(second));
        Assert.Equal(1, listener.Status.Refused);
        await first.SendAsync(Push("SN5"));
        Assert.Equal(14, (await Received(first)).Length);
    }

    [Fact]
    public async Task A_stop_waits_for_what_is_under_way_and_closes_the_rest()
    {
        var fleet = new GatedFleet { IsOpen = false };
        var listener = Listen(fleet);
        using var silent = await Connect(listener);
        using var socket = await Connect(listener);
        await socket.SendAsync(Push("SN5"));
        await fleet.Entered();
        var stopped = listener.DisposeAsync().AsTask();
        Assert.Empty(await Received(silent));
        Assert.False(stopped.IsCompleted);
        fleet.Commit();
        await stopped.WaitAsync(Patience);
        await listener.DisposeAsync();
        Assert.Equal(2, fleet.Inputs.Count);
    }

    [Fact]
    public async Task A_port_that_is_taken_is_a_clear_error()
    {
        await using var listener = Listen(new GatedFleet());
        var error = Assert.Throws<IOException>(() => Listen(new GatedFleet(), o => o with { Port = listener.Port }));
        Assert.Contains("--dlms-port", error.Message);
    }
}
