using Twin.Detection.Specification;
using Twin.Hardware;
using Twin.Hardware.Attestation;
using Twin.Hardware.Coding;

namespace Twin.Grains.Meters;

/// <summary>
/// Security state that most meters do not have most of the time. Arrays are replaced, never shared, and as long as
/// what they hold.
/// </summary>
internal sealed class SecurityRare
{
    /// <summary>At each bound the oldest goes first; all of it stays in the journal.</summary>
    public const int MaxLineage = 16, MaxCampaigns = 6, MaxOrders = 8, MaxVerified = 3, MaxPending = 8, MaxSaid = 32,
        MaxActivations = 12;

    /// <summary>
    /// Letters kept until the next sweep. At the bound those that others can do without go first, oldest first:
    /// bursts, what was stated, campaign progress, signatures; then the oldest.
    /// </summary>
    public const int MaxLetters = 64;

    /// <summary>Fingerprints kept until the next sweep; at the bound the oldest is not told.</summary>
    public const int MaxPrints = 4;

    /// <summary>Numbers of <see cref="Rates"/>.</summary>
    public const int Logins = 0, Tags = 1, Malformed = 2, Switching = 3, Events = 4, Unsealed = 5, RateCount = 6;

    /// <summary>Rates that the first version of the state had.</summary>
    private const int FirstRateCount = 5;

    public LineageMark[] Lineage = [];
    public CampaignMark[] Campaigns = [];
    public OrderMark[] Orders = [];
    public VerifiedMark[] Verified = [];
    public PendingMark[] Pending = [];
    public SaidMark[] Said = [];
    public FleetLetter[] Letters = [];
    public RateMark[] Rates = [];
    public PrintMark[] Prints = [];

    /// <summary>Countersigned checkpoint; number 0 when there is none.</summary>
    public uint CheckpointSeq;
    public Digest CheckpointHead;

    /// <summary>Events about firmware, for upgrades that the log will tell.</summary>
    public FirmwareEventMark[] Activations = [];

    /// <summary>Last event of its kind.</summary>
    public uint ClockOldAt, ClockNewAt, ClockInvalidAt, LastGaspAt;

    /// <summary>Mounted when, and where (hash); the register noted then in Wh, −1 when none was.</summary>
    public uint InstalledAt;
    public ulong InstalledPlace;
    public long InstalledWh = -1;

    /// <summary>The assigned reaction table: number, time, rows of event and action.</summary>
    public uint TableVersion, TableAt;
    public byte[] TableRows = [];

    /// <summary>True when nothing is kept here.</summary>
    public bool IsEmpty => Lineage.Length + Campaigns.Length + Orders.Length + Verified.Length + Pending.Length
        + Said.Length + Letters.Length + Rates.Length + Activations.Length + Prints.Length == 0
        && (CheckpointSeq | ClockOldAt | ClockNewAt | ClockInvalidAt | LastGaspAt | InstalledAt | TableAt
            | TableVersion) == 0;

    public ref RateMark Rate(int number)
    {
        if (Rates.Length == 0) Rates = new RateMark[RateCount];
        return ref Rates[number];
    }

    /// <summary>Appends; at the bound the first one goes.</summary>
    public static T[] Append<T>(T[] list, T item, int bound) =>
        list.Length < bound ? [.. list, item] : [.. list[(list.Length - bound + 1)..], item];

    public void Post(in FleetLetter letter)
    {
        var letters = Letters;
        if (letters.Length == MaxLetters)
        {
            var victim = -1;
            foreach (var kind in (ReadOnlySpan<FleetLetterKind>)[FleetLetterKind.EventBurst,
                FleetLetterKind.FindingStated, FleetLetterKind.CampaignProgress, FleetLetterKind.SignatureSeen])
                if (victim < 0) victim = Array.FindIndex(letters, l => l.Kind == kind);
            victim = Math.Max(0, victim);
            letters = [.. letters[..victim], .. letters[(victim + 1)..]];
        }
        Letters = [.. letters, letter];
    }

    public void Write(ByteWriter to)
    {
        Put(to, Lineage, static (w, l) => l.Write(w));
        Put(to, Campaigns, static (w, c) => c.Write(w));
        Put(to, Orders, static (w, o) => o.Write(w));
        Put(to, Verified, static (w, v) => v.Write(w));
        Put(to, Pending, static (w, p) => p.Write(w));
        Put(to, Said, static (w, s) =>
        {
            w.Byte((byte)s.Kind);
            w.Byte(s.Cause);
            w.VarInt(s.Day);
        });
        Put(to, Letters, static (w, l) => l.Write(w));
        Put(to, Rates, static (w, r) => r.Write(w));
        Put(to, Activations, static (w, a) =>
        {
            w.Byte(a.Bits);
            w.VarUInt(a.At);
        });
        to.VarUInt(CheckpointSeq);
        if (CheckpointSeq != 0) to.Put(CheckpointHead);
        foreach (var moment in (ReadOnlySpan<uint>)[ClockOldAt, ClockNewAt, ClockInvalidAt, LastGaspAt, InstalledAt])
            to.VarUInt(moment);
        if (InstalledAt != 0)
        {
            to.UInt64(InstalledPlace);
            to.VarInt(InstalledWh);
        }
        to.VarUInt(TableAt);
        to.VarUInt(TableVersion);
        to.Blob(TableRows);
        Put(to, Prints, static (w, p) => p.Write(w));
    }

    /// <param name="r">Where it is written.</param>
    /// <param name="hasPrints">False for states from before there were any.</param>
    public static SecurityRare Read(ref ByteReader r, bool hasPrints)
    {
        var rare = new SecurityRare
        {
            Lineage = Get(ref r, MaxLineage, LineageMark.Read), Campaigns = Get(ref r, MaxCampaigns, CampaignMark.Read),
            Orders = Get(ref r, MaxOrders, OrderMark.Read), Verified = Get(ref r, MaxVerified, VerifiedMark.Read),
            Pending = Get(ref r, MaxPending, PendingMark.Read),
            Said = Get(ref r, MaxSaid, static (ref ByteReader b) => new SaidMark((FindingKind)b.Byte(), b.Byte(),
                b.Int())),
            Letters = Get(ref r, MaxLetters, FleetLetter.Read), Rates = Get(ref r, RateCount, RateMark.Read),
            Activations = Get(ref r, MaxActivations, static (ref ByteReader b) => new FirmwareEventMark(b.Byte(),
                b.Count32())),
            CheckpointSeq = r.Count32(),
        };
        if (rare.CheckpointSeq != 0) rare.CheckpointHead = r.Digest();
        (rare.ClockOldAt, rare.ClockNewAt, rare.ClockInvalidAt) = (r.Count32(), r.Count32(), r.Count32());
        (rare.LastGaspAt, rare.InstalledAt) = (r.Count32(), r.Count32());
        if (rare.InstalledAt != 0) (rare.InstalledPlace, rare.InstalledWh) = (r.UInt64(), r.VarInt());
        (rare.TableAt, rare.TableVersion) = (r.Count32(), r.Count32());
        rare.TableRows = r.Blob().ToArray();
        if (hasPrints) rare.Prints = Get(ref r, MaxPrints, PrintMark.Read);
        if (rare.Rates.Length == FirstRateCount) Array.Resize(ref rare.Rates, RateCount);
        if (rare.Rates.Length is not (0 or RateCount)) throw r.Bad("rates are missing");
        return rare;
    }

    private delegate T Reader<T>(ref ByteReader r);

    private static void Put<T>(ByteWriter to, T[] list, Action<ByteWriter, T> write)
    {
        to.VarUInt((ulong)list.Length);
        foreach (var item in list) write(to, item);
    }

    private static T[] Get<T>(ref ByteReader r, int bound, Reader<T> read)
    {
        var n = r.Count(bound);
        if (n == 0) return [];
        var list = new T[n];
        for (var i = 0; i < n; i++) list[i] = read(ref r);
        return list;
    }
}
