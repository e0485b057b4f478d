using System.Globalization;
using System.Security.Cryptography;
using Twin.Grains;
using Twin.Hardware;
using Twin.Hardware.Attestation;
using Twin.Hardware.Coding;
using Twin.Hardware.Events;

namespace Twin.Silo.Tests.Hostile;

/// <summary>
/// Well-formed inputs with the worst values that their encoding takes: extreme times and counts, long and odd texts,
/// keys that are no points, logs that contradict themselves under a valid signature. Seeded.
/// </summary>
internal sealed class HostileInputs(ulong seed)
{
    private const int Meters = 6, Concentrators = 2;
    private const long Start = 20_000 * 86_400L;

    private static readonly long[] Instants =
    [
        0, 1, -1, uint.MaxValue, uint.MaxValue + 1L, uint.MaxValue - 1L, int.MaxValue, 30_000_000_000,
        -30_000_000_000, UnixTime.MinSeconds, UnixTime.MaxSeconds,
    ];

    private readonly SplitMix64 _draw = new(seed);
    private readonly Dictionary<TwinKey, HostileLog> _logs = [];
    private long _now = Start;

    private bool Odds(int one) => _draw.Next(one) == 0;
    private T Any<T>(params T[] of) => of[_draw.Next(of.Length)];
    private T Any<T>() where T : struct, Enum => Any(Enum.GetValues<T>());
    private ulong Bits() => _draw.NextUInt64();
    private uint Number() => Any(0u, 1u, (uint)_draw.Next(20), uint.MaxValue, uint.MaxValue - 1,
        unchecked((uint)Bits()));
    private ushort Small() => Any((ushort)0, (ushort)1, ushort.MaxValue, (ushort)_draw.Next(5),
        unchecked((ushort)Bits()));
    private int Count() => Any(0, 1, int.MaxValue, _draw.Next(100_000));
    private long Long() => Any(0, -1, long.MinValue, long.MaxValue, _draw.Next(1_000_000));
    private Digest Image() => Odds(8) ? Digest.None : Digest.Of([(byte)_draw.Next(Odds(3) ? 250 : 4)]);

    /// <summary>The time of the feed, which creeps on; or one that no clock should show.</summary>
    private UnixTime Time() => new(Odds(6) ? Any(Instants) : _now + _draw.Next(7_200) - 3_600);

    private string Text()
    {
        if (!Odds(4)) return Any("", "a", "W1", "acme", "tool 9", "C-" + _draw.Next(40));
        var length = Any(255, 256, 257, 1_000, 4_000, 9_000);
        return new string(Any('x', '\0', '\u202e', '\ud800', '語', '\n', '"'), length);
    }

    private byte[] Bytes(int length)
    {
        var bytes = new byte[length];
        for (var i = 0; i < length; i++) bytes[i] = (byte)_draw.Next(256);
        return bytes;
    }

    private static MeterId IdOf(int n) => n == 0 ? new MeterId(0x4D5457_3030303031)
        : MeterId.FromUtilityId("hostile meter with a name that is too long to be an id " + n);

    private MeterId Meter() => Odds(60) ? new MeterId(Bits() | 1) : IdOf(_draw.Next(Meters));
    private string Concentrator() => "conc " + _draw.Next(Concentrators);
    private TwinKey Subject() => Odds(5) ? TwinKey.Named(TwinKind.Concentrator, Concentrator()) : Meter().Twin;
    private TwinKey Anyone() => Odds(30) ? new TwinKey(Any<TwinKind>(), (ulong)_draw.Next(70)) : Subject();

    private HostileLog LogOf(TwinKey subject)
    {
        if (!_logs.TryGetValue(subject, out var log)) _logs[subject] = log = new HostileLog(_draw.NextUInt64());
        return log;
    }

    /// <summary>The keys and first words that give the rest something to contradict.</summary>
    public IEnumerable<Input> Beginning()
    {
        TwinKey[] all =
        [
            .. Enumerable.Range(0, Meters).Select(i => IdOf(i).Twin),
            .. Enumerable.Range(0, Concentrators).Select(i => TwinKey.Named(TwinKind.Concentrator, "conc " + i)),
        ];
        foreach (var subject in all)
            yield return new KeyEvent(subject, new(_now), KeySlot.DeviceSigning, KeyEventKind.Enrolled, 1,
                LogOf(subject).PublicKey, default, "pki");
    }

    /// <summary>One more input, of any kind that a sender may send; the time goes on.</summary>
    public byte[] Next()
    {
        _now += _draw.Next(60);
        if (Odds(25)) return Readings();
        return (_draw.Next(4) switch
        {
            0 => Quoting(),
            1 => Registry(),
            2 => Device(),
            _ => Other(),
        }).ToBytes();
    }

    private byte[] Readings()
    {
        var bytes = new ByteWriter();
        var values = new int[_draw.Next(24) + 1];
        for (var i = 0; i < values.Length; i++) values[i] = Any(0, 5, int.MaxValue, -1, _draw.Next(1_000));
        ReadingBlock.WriteRaw(bytes, Meter(), Any<Channel>(), 60, _now / 86_400 * 1_440, values, [], 0);
        return bytes.ToArray();
    }

    private Input Quoting()
    {
        var subject = Anyone();
        var log = LogOf(subject);
        if (Odds(3)) return new NonceIssued(subject, Time(), log.Challenge(Odds(9) ? Bits() : (ulong)_draw.Next(9)));
        var quote = log.Quote(_draw, subject.Id, (uint)Math.Clamp(Time().Seconds, 0, uint.MaxValue));
        if (Odds(20)) quote = quote[.._draw.Next(quote.Length)];
        if (Odds(20)) quote[_draw.Next(quote.Length)] ^= (byte)(1 << _draw.Next(8));
        return new AttestationQuote(subject, Time(), quote, Any<SignatureVerdict>());
    }

    private Input Registry() => _draw.Next(11) switch
    {
        0 => new Release(Image(), Time(), Any<FirmwarePart>(), Text(), Text(), Number(), Small(), Time(), Text()),
        1 or 2 => new CampaignMember(Meter(), Time(), Text(), Any<FirmwarePart>(), Image(), Number(), Time(), Time(),
            Odds(2), Any<CampaignState>()),
        3 or 4 => new WorkOrder(Meter(), Time(), Text(), Small(), Time(), Time(), Text(), Text()),
        5 => new Reverification(Meter(), Time(), Image(), Image(), Text()),
        6 => new ReactionTableAssigned(Meter(), Time(), Number(),
            Odds(2) ? [.. ReactionTable.Default.Encode(), .. Bytes(64)] : Bytes(_draw.Next(300))),
        7 => new LifeCycleChanged(Meter(), Time(), Any<LifeCycle>(), Text()),
        8 => new CheckpointIssued(Meter(), Time(), Number(), Image()),
        9 => new SupplyRecord(Meter(), "", Text(), Text(), Text(), Text(),
            Any("", "zz", Image().ToString(), Text()), Text(), Text(), Any("", "2024-01-01", Text())),
        _ => new MeterRelation(Meter(), "", Any<MeterRole>(), Text(), Text(), Text(), Text(), Text(), Text(), Text(),
            Any("", "UTC", "Asia/Kolkata", "no zone"), Any("", Concentrator()), Text(), Any<CustomerCategory>(),
            Any(int.MinValue, 19_900, 20_001), Any(int.MaxValue, 20_000, 20_010)),
    };

    private Input Device() => _draw.Next(6) switch
    {
        0 => new DeviceEvent(Meter(), Time(), Any(EventProfiles.Own, "idis", Text()),
            Any(((int)Any<MeterEventKind>()).ToString(CultureInfo.InvariantCulture), "-1", "99999999999", Text()),
            Any("", "1", "-9223372036854775808", Text())),
        1 => new CommandOutcome(Meter(), Time(), Any<CommandKind>(), Any<CommandOrigin>(), Any<CommandResult>(),
            new SwitchState(Odds(2), (byte)_draw.Next(3), (byte)_draw.Next(8)), Text(), Text(), Text()),
        2 => new Session(Anyone(), Time(), Any<CommandOrigin>(), (byte)_draw.Next(256), (byte)_draw.Next(8), Odds(2),
            (byte)_draw.Next(256), Count(), Text(), Text(), Text()),
        3 => new Reaction(Meter(), Time(), Number(), Any<MeterEventKind>(), Any<ReactionAction>()),
        4 => new Fingerprint(Meter(), Time(), Any(Bits(), 1ul), [.. Enumerable.Range(0, _draw.Next(9)).Select(_ =>
            Any(0f, 1f, -1f, float.NaN, float.PositiveInfinity, float.MaxValue, float.MinValue, float.Epsilon))]),
        _ => new Installation(Meter(), Time(), Text(), Text(), Text(), Odds(2) ? default : Meter(), Long(), Long()),
    };

    private Input Other() => _draw.Next(7) switch
    {
        0 => new KeyEvent(Anyone(), Time(), Any<KeySlot>(), Any<KeyEventKind>(), (byte)_draw.Next(3),
            Bytes(Any(0, 1, 63, 64, 64, 65, 96, 96, 97)), Time(), Text()),
        1 or 2 => new FrameReceived(Anyone(), Time(), Any<KeySlot>(), Any<FrameDirection>(), Number(), Bits() % 50,
            Count(), Any<FrameService>()),
        3 => new FrameFault(Anyone(), Time(), Any<FrameFaultKind>(), Count(), Bits() % 50, Text(), Text()),
        4 => Report(),
        5 => new RegisterSnapshot(Meter(), Any<Channel>(), Time(), Long()),
        _ => new ContextPeriod(Anyone(), Any<ContextKind>(), Time(), Time(), Text()),
    };

    private ConcentratorReport Report()
    {
        var name = Odds(9) ? Text() : Concentrator();
        var routes = new Route[Any(0, 1, 6, _draw.Next(300), Odds(20) ? ConcentratorReport.MaxRoutes : 2)];
        for (var i = 0; i < routes.Length; i++)
            routes[i] = new Route(Any(Meter(), new MeterId((ulong)i), default), Any(Meter(), default), Small(), Small(),
                Small());
        return new ConcentratorReport(TwinKey.Named(TwinKind.Concentrator, name), name, Time(), Count(), Count(),
            routes);
    }

    public InputBatch Sweep() => Batch(new Sweep(Time()));

    private static InputBatch Batch(Input input)
    {
        var batch = new InputBatch("host");
        batch.Add(input);
        return batch;
    }
}

/// <summary>The log of a device that signs whatever it likes.</summary>
internal sealed class HostileLog
{
    private readonly ECDsa _key;
    private readonly List<UInt128> _challenges = [0];
    private Digest _head;
    private uint _seq;

    public HostileLog(ulong seed)
    {
        var d = new byte[32];
        BitConverter.TryWriteBytes(d.AsSpan(16), seed);
        d[31] |= 1;
        _key = ECDsa.Create(new ECParameters { Curve = ECCurve.NamedCurves.nistP256, D = d });
        var q = _key.ExportParameters(false).Q;
        PublicKey = [.. q.X!, .. q.Y!];
    }

    public byte[] PublicKey { get; }

    public UInt128 Challenge(ulong nonce)
    {
        _challenges.Add(nonce);
        return nonce;
    }

    /// <summary>
    /// A signed quote. Two of three follow the last one; entries, counters, times and states are anything at all.
    /// </summary>
    public byte[] Quote(SplitMix64 draw, ulong title, uint time)
    {
        uint Number() => draw.Next(3) switch
        {
            0 => (uint)draw.Next(9),
            1 => uint.MaxValue - (uint)draw.Next(2),
            _ => unchecked((uint)draw.NextUInt64())
        };
        ushort Small() => unchecked((ushort)Number());
        CakCounters Counters() => new(Number(), Number(), Small(), Small(), Small(),
            Small());
        Digest Image() => draw.Next(6) == 0 ? Digest.None : Digest.Of([(byte)draw.Next(5)]);
        T Any<T>() where T : struct, Enum => Enum.GetValues<T>()[draw.Next(Enum.GetValues<T>().Length)];
        var (first, head, follows) = (_seq == uint.MaxValue ? 0 : _seq + 1, _head, draw.Next(3) != 0);
        if (!follows) (first, head) = (Number(), draw.Next(2) == 0 ? _head : Image());
        var begin = head;
        var entries = new CakEntry[draw.Next(8) == 0 ? draw.Next(CakQuote.MaxEntries + 1) : draw.Next(4)];
        for (var i = 0; i < entries.Length; i++)
        {
            var seq = draw.Next(40) == 0 ? Number() : unchecked(first + (uint)i);
            entries[i] = new CakEntry(seq, Any<CakEntryKind>(), Any<FirmwarePart>(), (byte)draw.Next(256),
                Any<BootCause>(), Image(), Number(), Small(), Small(),
                draw.Next(2) == 0 ? time : Number(), Number(), Counters());
            head = entries[i].HeadAfter(head);
        }
        var last = unchecked(first + (uint)entries.Length - 1);
        if (follows) (_seq, _head) = (last, head);
        var quote = new CakQuote
        {
            SystemTitle = draw.Next(20) == 0 ? Number() : title, Nonce = _challenges[draw.Next(_challenges.Count)],
            FirstSeq = first, BaseHead = begin, Entries = entries, Head = draw.Next(12) == 0 ? Image() : head,
            LastSeq = draw.Next(4) == 0 ? Number() : last, Counters = Counters(),
            State = [.. Enumerable.Range(0, CakQuote.Parts).Select(_ =>
                new PartState(Image(), Number(), Small()))],
            Switch = new SwitchState(draw.Next(2) == 0, (byte)draw.Next(256), (byte)draw.Next(256)),
            LifeCycle = Any<LifeCycle>(), MeterTime = draw.Next(3) == 0 ? Number() : time,
            ChangedPages = draw.Next(3) == 0 ? Small() : (ushort)0, FirstChangedPage = Small(),
            Unrecorded = draw.Next(3) == 0 ? Small() : (ushort)0, KeyFingerprint = CakQuote.FingerprintOf(PublicKey),
        };
        var signed = quote.ToSign();
        return CakQuote.WithSignature(signed, _key.SignData(signed, HashAlgorithmName.SHA256));
    }
}
