using Twin.Grains;
using Twin.Grains.Cases;
using Twin.Grains.Guards;
using Twin.Grains.Ledger;
using Twin.Hardware;
using Twin.Silo.Embedded;
using Twin.Silo.Engine;

namespace Twin.Silo.WhatIf;

/// <summary>
/// What would come of a response that somebody proposes, had everybody needed approved it at once: the case, the policy
/// and the guards as they are now, in a host of their own, which is thrown away. <paramref name="Response"/>: as it
/// stands when it went out, was held or was refused; null when none was made. <paramref name="Persons"/>: approvals
/// that were assumed. <paramref name="Guards"/>: those that gave room, and what of their budgets is used then.
/// </summary>
internal sealed record DryRun(ResponseRecord? Response, int Persons, IReadOnlyList<GuardView> Guards)
{
    /// <summary>Sweeps of a dry run: a week of them, in which every window opens.</summary>
    private const int Sweeps = 7 * 24 * 12, SweepSeconds = 300;

    private const int Page = 10_000;

    /// <exception cref="ArgumentException">The case refuses the act, and says why.</exception>
    public static async Task<DryRun> Of(IFleet fleet, ResponseAct act, CancellationToken cancel)
    {
        using var host = new TwinHost(1, new TwinFactory(), keepScores: false);
        await Copy(fleet, act.Case, host, cancel);
        foreach (var kind in (TwinKind[])[TwinKind.Desk, TwinKind.Guard, TwinKind.Policy, TwinKind.Concentrator])
            for (IReadOnlyList<TwinKey> keys = [default]; keys.Count > 0;)
            {
                keys = await fleet.Keys(kind, keys[^1].Id, Page, cancel);
                foreach (var key in keys) await Copy(fleet, key, host, cancel);
            }
        var before = ViewsOf(host);
        Apply(host, act);
        var said = new Consequences();
        var fold = new Fold(act.Case);
        for (var s = 1; s <= Sweeps && !fold.IsDecided; s++)
        {
            var at = new UnixTime(act.At.Seconds + (long)s * SweepSeconds);
            host.Rebuild(new Sweep(at).ToBytes(), said);
            foreach (var entry in said.Ledger) fold.Take(LedgerEntry.Read(entry), act.Rung);
            said.Clear();
            if (fold.Response is not { State: ResponseState.Proposed } r) continue;
            for (var n = r.Approvals.Length; n < r.Needed; n++)
                Apply(host, new ResponseAct(act.Case, at, new Actor($"assumed {n + 1}", "dry run"),
                    ResponseActKind.Approve, r.Number, default, ""));
        }
        var asked = ViewsOf(host).Where(g => g.Value.CommandsDay > (before.GetValueOrDefault(g.Key)?.CommandsDay ?? 0));
        return new DryRun(fold.Response, fold.Response?.Needed ?? 0, [.. asked.Select(g => g.Value)]);
    }

    private static SortedDictionary<TwinKey, GuardView> ViewsOf(TwinHost host)
    {
        var guards = new SortedDictionary<TwinKey, GuardView>();
        foreach (var key in host.Keys(TwinKind.Guard))
            if (host.State(key) is { } state) guards[key] = GuardView.From(key, state);
        return guards;
    }

    private static async Task Copy(IFleet fleet, TwinKey key, TwinHost host, CancellationToken cancel)
    {
        if (await fleet.State(key, null, cancel) is { } state) host.Put(key, state);
    }

    private static void Apply(TwinHost host, ResponseAct act)
    {
        var bytes = act.ToBytes();
        if (host.Read<object>(act.Case, twin => twin.Admit(bytes, Nothing.Stored, Nothing.Stored))
            is not Admission a)
            throw new ArgumentException("There is no such case.");
        if (a.Status == AdmissionStatus.Rejected) throw new ArgumentException(a.Reason);
        var said = new Consequences();
        host.Rebuild(bytes, said);
        host.EndRebuild(said);
    }

    /// <summary>The proposed response as it goes on.</summary>
    private sealed class Fold(TwinKey key)
    {
        private int _number;

        public ResponseRecord? Response { get; private set; }

        public bool IsDecided => Response?.State is ResponseState.Executing or ResponseState.Done
            or ResponseState.Quarantined or ResponseState.Rejected or ResponseState.Failed;

        public void Take(LedgerEntry entry, ResponseRung rung)
        {
            if (entry.Kind is not (LedgerKind.Response or LedgerKind.Order) || entry.Case != key) return;
            var r = ResponseRecord.Read(entry.Body);
            if (r.IsUndo || r.Rung != rung || _number != 0 && r.Number != _number) return;
            (_number, Response) = (r.Number, r);
        }
    }
}
