using Twin.Detection.Specification;
using Twin.Hardware;
using Twin.Hardware.Coding;

namespace Twin.Detection.Fleet;

/// <summary>
/// How far the members of each campaign are. A roll-out is stuck (domain scenario T08) when others have long been
/// updated and a share of the meters still holds a verified image that it does not activate. Some stragglers are
/// honest, and so are a campaign that nobody has activated yet, and one that still goes on in waves.
/// </summary>
public sealed class CampaignBook
{
    /// <summary>Most campaigns of a partition; at the bound the one that moved longest ago is forgotten.</summary>
    public const int MaxCampaigns = 64;

    /// <summary>Members kept of one campaign; above it a sample by the hash of the id, as in
    /// <see cref="SampledSet"/>.</summary>
    public const int MaxMembers = 4_096;

    /// <summary>Time in one state after which a meter counts as stuck.</summary>
    public const long StuckSeconds = 3 * 86_400;

    /// <summary>A stuck campaign has this share of stuck members, and this many.</summary>
    private const double StuckShare = 0.10;
    private const int StuckMeters = 5;

    /// <summary>Share of members that must be updated before the others count as left behind.</summary>
    private const double UpdatedShare = 0.20;

    /// <summary>A campaign goes on while this share of its members was updated within <see cref="StuckSeconds"/>.
    /// </summary>
    private const double MovingShare = 0.05;
    private const int MaxLevel = 32;
    private const byte EncodingVersion = 1;

    private sealed class Campaign
    {
        public required ulong Hash { get; init; }
        public required string Name { get; init; }
        public long LastAt;
        public int Level;
        public long StatedFrom;
        public int Stated;

        /// <summary>State and second since when, by twin id.</summary>
        public readonly SortedDictionary<ulong, (byte State, long Since)> Members = [];

        public bool Keeps(ulong id) => (StableHash.Mix(id) & ((1UL << Level) - 1)) == 0;
    }

    private readonly List<Campaign> _campaigns = [];

    public int Count => _campaigns.Count;

    /// <summary>
    /// Each campaign: when it moved last, how many members its sample stands for, the sample, and how many of them were
    /// stuck when that was stated (0: never).
    /// </summary>
    public IEnumerable<(string Name, long LastAt, long Members, int Stuck,
        IReadOnlyDictionary<ulong, (byte State, long Since)> Sample)> All =>
        _campaigns.Select(c => (c.Name, c.LastAt, (long)c.Members.Count << c.Level, c.Stated,
            (IReadOnlyDictionary<ulong, (byte, long)>)c.Members));

    /// <summary>True while a campaign may still turn out to be stuck: time alone decides.</summary>
    public bool IsWaiting => _campaigns.Exists(c => c.Stated == 0 && c.Members.Values.Any(m => IsHeldBack(m.State)));

    public void Note(ulong hash, string name, CampaignState state, long secondsInState, in Party meter, UnixTime at)
    {
        var campaign = CampaignOf(hash, name);
        campaign.LastAt = Math.Max(campaign.LastAt, at.Seconds);
        if (!campaign.Keeps(meter.Key.Id)) return;
        var since = at.Seconds - Math.Clamp(secondsInState, 0, 3_650 * 86_400L);
        if (campaign.Members.TryGetValue(meter.Key.Id, out var old))
        {
            if (at.Seconds < old.Since) return;
            if (old.State == (byte)state) since = Math.Min(since, old.Since);
        }
        campaign.Members[meter.Key.Id] = ((byte)state, since);
        while (campaign.Members.Count > MaxMembers && campaign.Level < MaxLevel)
        {
            campaign.Level++;
            foreach (var id in campaign.Members.Keys.Where(id => !campaign.Keeps(id)).ToArray())
                campaign.Members.Remove(id);
        }
    }

    private static bool IsHeldBack(byte state) =>
        (CampaignState)state is CampaignState.Downloaded or CampaignState.Verified or CampaignState.Updating;

    public void Judge(UnixTime now, in Party fleet, IFindingSink findings)
    {
        foreach (var c in _campaigns)
        {
            var (stuck, updated, oldest, recent) = (0, 0, long.MaxValue, 0);
            foreach (var (state, since) in c.Members.Values)
            {
                if ((CampaignState)state == CampaignState.Updated)
                    (updated, recent) = (updated + 1, recent + (now.Seconds - since < StuckSeconds ? 1 : 0));
                if (!IsHeldBack(state) || now.Seconds - since < StuckSeconds) continue;
                (stuck, oldest) = (stuck + 1, Math.Min(oldest, since));
            }
            var isStuck = stuck >= StuckMeters && stuck >= StuckShare * c.Members.Count
                && updated >= UpdatedShare * c.Members.Count
                && recent < MovingShare * c.Members.Count;
            if (!isStuck || stuck < 2 * c.Stated) continue;
            if (c.Stated == 0) c.StatedFrom = oldest;
            c.Stated = stuck;
            var (share, all) = ((double)stuck / c.Members.Count, (long)c.Members.Count << c.Level);
            findings.Add(FleetStatements.Make(new Party(fleet.Key, c.Name), FindingKind.CampaignStuck,
                new UnixTime(c.StatedFrom), now, now, 2, Severity.Medium, 0.8, FleetStatements.Campaigns, "",
                $"Campaign {c.Name}: {Statements.Percent(share)} of its {all} meters have held the new image for over "
                    + $"{FleetStatements.Duration(StuckSeconds)} without activating it, while "
                    + $"{Statements.Percent((double)updated / c.Members.Count)} are updated.",
                [new Evidence("share_stuck", share, StuckShare, 1, "")])
                with
            { Cause = SharedCauses.Campaign(c.Name) });
        }
    }

    private Campaign CampaignOf(ulong hash, string name)
    {
        if (_campaigns.Find(c => c.Hash == hash) is { } known) return known;
        if (_campaigns.Count == MaxCampaigns) _campaigns.Remove(_campaigns.MinBy(c => c.LastAt)!);
        var campaign = new Campaign { Hash = hash, Name = name };
        _campaigns.Add(campaign);
        return campaign;
    }

    public void Write(ByteWriter to)
    {
        to.Byte(EncodingVersion);
        to.VarUInt((ulong)_campaigns.Count);
        foreach (var c in _campaigns)
        {
            to.UInt64(c.Hash);
            to.Text(c.Name);
            to.VarInt(c.LastAt);
            to.Byte((byte)c.Level);
            to.VarInt(c.StatedFrom);
            to.VarUInt((ulong)c.Stated);
            to.VarUInt((ulong)c.Members.Count);
            foreach (var (id, (state, since)) in c.Members)
            {
                to.UInt64(id);
                to.Byte(state);
                to.VarInt(since);
            }
        }
    }

    /// <exception cref="InvalidDataException">Damaged, or written by a newer version.</exception>
    public static CampaignBook Read(ref ByteReader r)
    {
        Codes.Version(ref r, EncodingVersion, "a book of campaigns");
        var book = new CampaignBook();
        var count = r.Count(MaxCampaigns);
        for (var i = 0; i < count; i++)
        {
            var c = new Campaign { Hash = r.UInt64(), Name = r.Text() };
            c.LastAt = Codes.ReadSeconds(ref r);
            c.Level = r.Byte(0, MaxLevel);
            c.StatedFrom = Codes.ReadSeconds(ref r);
            c.Stated = r.Count(MaxMembers);
            var members = r.Count(MaxMembers);
            for (var m = 0; m < members; m++)
                c.Members[r.UInt64()] = (r.Byte(0, (int)CampaignState.Failed), r.VarInt());
            book._campaigns.Add(c);
        }
        return book;
    }
}
