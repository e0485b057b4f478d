using System.Security.Cryptography;
using Twin.Hardware;
using Twin.Hardware.Attestation;
using Twin.Hardware.Events;

namespace Twin.Grains.Tests;

/// <summary>
/// A meter with a log and a device key, as small as can be: it appends entries, boots, upgrades and quotes. What it
/// does is honest; a test bends it.
/// </summary>
internal sealed class SecurityMeter : IDisposable
{
    /// <summary>2024-01-01T00:00:00Z.</summary>
    public const long T0 = 19_723 * 86_400L;

    private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    public MeterId Id { get; init; } = new(0x4D54573030303031);
    public List<CakEntry> Log { get; } = [];
    public List<Digest> Heads { get; } = [Digest.None];
    public PartState[] Parts { get; } = [.. Enumerable.Range(0, 6).Select(i =>
        new PartState(ImageOf(i + 1, 1), 1, 1))];
    public CakCounters Counters { get; set; }
    public SwitchState Switch { get; set; } = new(true, 1, 4);
    public LifeCycle LifeCycle { get; set; } = LifeCycle.Operating;
    public ushort ChangedPages { get; set; }
    public ushort Unrecorded { get; set; }
    public ulong? Title { get; set; }

    public byte[] PublicKey
    {
        get
        {
            var q = _key.ExportParameters(false).Q;
            return [.. q.X!, .. q.Y!];
        }
    }

    public static Digest ImageOf(int part, int version) => Digest.Of([(byte)part, (byte)version]);
    public static Digest ImageOf(FirmwarePart part, int version) => ImageOf((int)part, version);
    public static UnixTime At(double days) => new(T0 + (long)(days * 86_400));
    public static uint Meter(double days) => (uint)At(days).Seconds;

    public uint Seq => Log.Count == 0 ? 0 : Log[^1].Seq;

    public void Append(CakEntry entry)
    {
        Log.Add(entry with { Seq = Seq + 1, Counters = Counters });
        Heads.Add(Log[^1].HeadAfter(Heads[^1]));
    }

    public void Append(CakEntryKind kind, FirmwarePart part, double days, Digest image = default, uint version = 0,
        ushort security = 0, BootCause cause = BootCause.None, ushort detail = 0) =>
        Append(new CakEntry(0, kind, part, 0, cause, image, version, security, detail, Meter(days), 1, default));

    public void Boot(double days, BootCause cause)
    {
        var c = Counters with { Boots = Counters.Boots + 1 };
        Counters = cause switch
        {
            BootCause.PowerFailure => c with { PowerFailures = c.PowerFailures + 1 },
            BootCause.Watchdog => c with { Watchdogs = (ushort)(c.Watchdogs + 1) },
            BootCause.Activation => c with { Activations = (ushort)(c.Activations + 1) },
            BootCause.Commanded => c with { Commanded = (ushort)(c.Commanded + 1) },
            _ => c,
        };
        Append(CakEntryKind.Boot, FirmwarePart.Device, days, cause: cause);
    }

    /// <summary>Takes on a version of a part, with the boot that follows.</summary>
    public void Upgrade(FirmwarePart part, int version, double days, ushort security = 1,
        CakEntryKind kind = CakEntryKind.Upgrade)
    {
        Parts[(int)part - 1] = new PartState(ImageOf(part, version), (uint)version, security);
        Append(kind, part, days, ImageOf(part, version), (uint)version, security);
        Boot(days, BootCause.Activation);
    }

    public CakQuote Quote(UInt128 nonce, double days, uint since, int most = CakQuote.MaxEntries)
    {
        var entries = Log.Where(e => e.Seq > since).Take(most).ToArray();
        return new CakQuote
        {
            SystemTitle = Title ?? Id.Value, Nonce = nonce, FirstSeq = since + 1, BaseHead = Heads[(int)since],
            Entries = entries, Head = Heads[(int)since + entries.Length], LastSeq = Seq, State = [.. Parts],
            Counters = Counters, Switch = Switch, LifeCycle = LifeCycle, MeterTime = Meter(days),
            ChangedPages = ChangedPages, FirstChangedPage = (ushort)(ChangedPages > 0 ? 9 : 0), Unrecorded = Unrecorded,
            KeyFingerprint = CakQuote.FingerprintOf(PublicKey),
        };
    }

    public byte[] Sign(CakQuote quote)
    {
        var signed = quote.ToSign();
        return CakQuote.WithSignature(signed, _key.SignData(signed, HashAlgorithmName.SHA256));
    }

    /// <summary>A quote as it comes in, a minute after it was made.</summary>
    public AttestationQuote Attest(UInt128 nonce, double days, uint since = 0) =>
        new(Id.Twin, At(days + 1 / 1440.0), Sign(Quote(nonce, days, since)), SignatureVerdict.Unchecked);

    public KeyEvent Enrol(double days = 0) => new(Id.Twin, At(days), KeySlot.DeviceSigning, KeyEventKind.Enrolled, 1,
        PublicKey, default, "pki");

    public DeviceEvent Event(MeterEventKind kind, double days, string detail = "") => new(Id, At(days),
        EventProfiles.Own, ((int)kind).ToString(System.Globalization.CultureInfo.InvariantCulture), detail);

    public CommandOutcome Command(CommandKind kind, double days, CommandOrigin origin = CommandOrigin.HeadEnd,
        string order = "") => new(Id, At(days), kind, origin, CommandResult.Done, Switch, order, "op", "");

    public WorkOrder Order(double from, double to, params CommandKind[] commands) => new(Id, At(from), $"W{from}",
        (ushort)commands.Sum(c => 1 << (int)c), At(from), At(to), "acme", "");

    public CampaignMember Campaign(FirmwarePart part, int version, double from, double to, bool downgrade = false,
        CampaignState state = CampaignState.Queued) => new(Id, At(from), $"C{(int)part}-{version}", part,
            ImageOf(part, version), (uint)version, At(from), At(to), downgrade, state);

    public FrameReceived Frame(uint counter, double days, ulong digest = 0, KeySlot key = KeySlot.EncryptionUnicast,
        FrameDirection direction = FrameDirection.FromMeter,
        FrameService service = FrameService.DataNotification) => new(Id.Twin, At(days), key, direction, counter,
            digest != 0 ? digest : StableHash.Mix(counter + 1UL + ((ulong)key << 40)), 120,
            service);

    public void Dispose() => _key.Dispose();
}

/// <summary>A harness with one such meter, enrolled and attested once, with challenges by number.</summary>
internal sealed class SecurityScenario : IDisposable
{
    public readonly TwinHarness Harness = new();
    public readonly SecurityMeter Meter = new();
    private ulong _nonce;

    public List<Finding> Findings => Harness.Findings;
    public IEnumerable<FindingKind> Kinds => Findings.Select(f => f.Kind);

    public SecurityScenario(bool attested = true)
    {
        Harness.Append(Meter.Enrol());
        Meter.Boot(0, BootCause.PowerFailure);
        if (attested) Challenge(0.1);
    }

    /// <summary>Entries up to here are in the twin.</summary>
    public uint Since { get; private set; }

    /// <summary>A challenge and its answer.</summary>
    public Admission Challenge(double days, Func<CakQuote, CakQuote>? bend = null)
    {
        var nonce = Issue(days);
        var quote = Meter.Quote(nonce, days + 0.001, Since);
        Since = Meter.Seq;
        var signed = Meter.Sign(bend is null ? quote : bend(quote));
        return Harness.Append(new AttestationQuote(Meter.Id.Twin, SecurityMeter.At(days + 0.002), signed,
            SignatureVerdict.Valid));
    }

    public UInt128 Issue(double days)
    {
        var nonce = new UInt128(7, ++_nonce);
        Harness.Append(new NonceIssued(Meter.Id.Twin, SecurityMeter.At(days), nonce));
        return nonce;
    }

    public Admission Append(Input input) => Harness.Append(input);
    public void Close(int day) => Harness.Close(Sample.Day0 + day);
    public void Sweep(double days) => Harness.SweptLetters(SecurityMeter.At(days));

    public void Expect(params FindingKind[] kinds) => Assert.Equal(kinds.Order(), Kinds.Order());

    public void Dispose() => Meter.Dispose();
}
