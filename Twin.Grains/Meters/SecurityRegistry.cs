using Twin.Detection.Specification;
using Twin.Hardware;
using Twin.Hardware.Attestation;
using Twin.Hardware.Events;

namespace Twin.Grains.Meters;

// What the registry tells: campaigns, orders, challenges, verifications, tables, stages of life, checkpoints.
internal sealed partial class MeterSecurity
{
    /// <summary>Days for which an order or campaign that has ended is kept: reports about it may come late.</summary>
    private const uint KeepEnded = 40 * Moment.Day;

    public void Apply(in SecurityScene scene, CampaignMember m)
    {
        var (rare, now) = (Rare, Moment.Of(m.At));
        var old = Array.Find(rare.Campaigns, c => c.Name == Cut(m.Campaign) && c.Part == m.Part);
        var since = old is not null && old.State == m.State ? old.Since : now;
        var mark = new CampaignMark(Cut(m.Campaign), m.Part, m.Image.High, Moment.Of(m.From), Moment.Of(m.To),
            m.AllowsDowngrade, m.State, since);
        var others = Array.FindAll(rare.Campaigns, c => c != old && Moment.Plus(c.To, KeepEnded) > now);
        rare.Campaigns = SecurityRare.Append(others, mark, SecurityRare.MaxCampaigns);
        var waited = (ulong)Math.Max(0, Moment.Since(since, now));
        Post(scene, FleetLetterKind.CampaignProgress, m.At, StableHash.Of(m.Campaign), (byte)m.State, waited, false,
            m.Campaign);
    }

    public void Apply(WorkOrder o)
    {
        var (rare, now) = (Rare, Moment.Of(o.At));
        var mark = new OrderMark(Cut(o.Order), o.Commands, Moment.Of(o.From), Moment.Of(o.To), Cut(o.Contractor));
        var others = Array.FindAll(rare.Orders, x => x.Name != mark.Name && Moment.Plus(x.To, KeepEnded) > now);
        rare.Orders = SecurityRare.Append(others, mark, SecurityRare.MaxOrders);
    }

    public void Apply(NonceIssued n)
    {
        var mark = new ChallengeMark((ulong)(n.Nonce >> 64), unchecked((ulong)n.Nonce), 0, Moment.Of(n.At), 0);
        if (_challenges.Length == MaxChallenges)
        {
            var oldest = _challenges[0];
            if (oldest.AnsweredAt == 0) _droppedThrough = Math.Max(_droppedThrough, oldest.IssuedAt);
        }
        _challenges = SecurityRare.Append(_challenges, mark, MaxChallenges);
    }

    public void Apply(Reverification v)
    {
        var rare = Rare;
        rare.Verified = SecurityRare.Append(rare.Verified,
            new VerifiedMark(v.Calibration.High, v.MetrologyImage.High, Moment.Of(v.At)), SecurityRare.MaxVerified);
        rare.Pending = Array.FindAll(rare.Pending, p => p.Kind != PendingKind.Verification
            || p.Image != v.Calibration.Short && p.Image != v.MetrologyImage.Short);
    }

    public void Apply(ReactionTableAssigned t)
    {
        var (rare, now) = (Rare, Moment.Of(t.At));
        if (t.Version < rare.TableVersion) return;
        (rare.TableVersion, rare.TableAt, rare.TableRows) = (t.Version, now, RowsOf(t.Table));
    }

    /// <summary>Rows of event and action, one behind another; none when the bytes are no table.</summary>
    private static byte[] RowsOf(byte[] signed)
    {
        if (!ReactionTable.TryRead(signed, out var table, out _)) return [];
        var rows = new List<byte>(2 * table.Rows);
        foreach (var kind in Enum.GetValues<MeterEventKind>())
        {
            var action = table.On(kind);
            if (action == ReactionAction.Log) continue;
            rows.Add((byte)kind);
            rows.Add((byte)action);
        }
        return [.. rows];
    }

    public void Apply(LifeCycleChanged l)
    {
        var at = Moment.Of(l.At);
        if (at < _stageAt) return;
        (_stage, _stageAt) = (l.Stage, at);
        // Taken down: it may be mounted elsewhere.
        if (l.Stage is not (LifeCycle.Installed or LifeCycle.Operating) && _rare is { } rare)
            (rare.InstalledAt, rare.InstalledPlace, rare.InstalledWh) = (0, 0, -1);
    }

    public void Apply(CheckpointIssued c)
    {
        var rare = Rare;
        if (c.Seq <= rare.CheckpointSeq) return;
        (rare.CheckpointSeq, rare.CheckpointHead) = (c.Seq, c.Head);
    }

    /// <summary>The supply record came or changed.</summary>
    public void SupplyChanged(in SecurityScene scene) => CheckSupply(scene, Math.Max(_baselinedAt, _quoteAt));
}
