using System.Globalization;
using Twin.Grains;
using Twin.Grains.Cases;
using Twin.Grains.Ledger;
using Twin.Hardware;
using Twin.Silo.Embedded;
using Twin.Silo.Engine;
using Twin.Silo.Storage;

namespace Twin.Silo.WhatIf;

/// <summary>
/// What another policy would have done with a recorded past. The journal is run through the same twins twice, as it is,
/// and with the other policy put in force at a time; both are folded to figures. What is not known is assumed in one
/// way: an order that the record does not have (the same response at the same time) is done at once, and one that it
/// has fares as it did. Acts of persons and outcomes that speak of a response which the other policy did not propose,
/// or ordered at another time, are left out, and counted. What the world would have done otherwise (a meter that was
/// isolated is silent) is not known and not guessed.
/// </summary>
internal sealed class WhatIfRun
{
    /// <summary>Of a directory that nobody writes meanwhile.</summary>
    public required SqliteJournal Journal { get; init; }
    public required string Folder { get; init; }
    public required int Shards { get; init; }
    public required ITwinFactory Factory { get; init; }
    public required Action<string> Log { get; init; }

    /// <summary>Name under which assumed outcomes come.</summary>
    public const string Gateway = "assumed";

    /// <summary>Inputs between two looks at progress.</summary>
    private const int LookEvery = 65_536;

    /// <summary>How far it has come: inputs.</summary>
    public Action<long>? Progress { get; init; }

    /// <summary>The record as it is.</summary>
    /// <exception cref="DataDirectoryException">The directory cannot be rebuilt.</exception>
    public AnswerFold AsRecorded() => new Pass(this, null, null, null).Run();

    /// <param name="recorded">What <see cref="AsRecorded"/> gave.</param>
    /// <param name="text">The other policy, as it is written.</param>
    /// <param name="since">From the first sweep at this time on; null: from the beginning.</param>
    /// <param name="leftOut">Acts and outcomes that no longer fit.</param>
    public AnswerFold Under(AnswerFold recorded, string text, UnixTime? since, out int leftOut)
    {
        var pass = new Pass(this, recorded, text, since);
        var fold = pass.Run();
        leftOut = pass.LeftOut;
        return fold;
    }

    private sealed class Pass(WhatIfRun run, AnswerFold? recorded, string? text, UnixTime? since)
    {
        private readonly TwinHost _host = new(run.Shards, run.Factory, keepScores: false);
        private readonly AnswerFold _fold = new();
        private readonly Consequences _said = new();

        /// <summary>The newest response of a number in a case, and whether its order is one of the record.</summary>
        private readonly Dictionary<(TwinKey Case, int Number), string> _names = [];
        private readonly Dictionary<(TwinKey Case, int Number), bool> _orders = [];
        private readonly List<ResponseOutcome> _assumed = [];
        private JournalRecall _recall = null!;
        private bool _isInForce;
        private long _inputs;

        public int LeftOut { get; private set; }

        public AnswerFold Run()
        {
            using var host = _host;
            _recall = new JournalRecall(run.Journal, () => { });
            Rebuilder.RequireKnown(run.Journal, run.Folder, run.Factory.JudgingVersion);
            var from = Rebuilder.LoadBase(_host, run.Journal, run.Folder, run.Factory.JudgingVersion,
                text is null ? run.Log : _ => { });
            if (text is null) SayWhatIsMissing(from);
            if (since is null) Activate(default);
            run.Journal.Read(from, (position, input) =>
            {
                Take(input);
                if (++_inputs % LookEvery == 0) run.Progress?.Invoke(position);
            });
            _host.EndRebuild(_said);
            Fold();
            return _fold;
        }

        private void SayWhatIsMissing(long from)
        {
            if (from > 0)
                run.Log(string.Create(CultureInfo.InvariantCulture, $"Inputs up to {from:n0} cannot be run again "
                    + $"(readings were erased, or an earlier version judged them): both columns begin behind them, "
                    + $"with the cases that were there."));
            else if (run.Journal.Position > 0 && run.Journal.JudgingVersion != run.Factory.JudgingVersion)
                run.Log($"The record was judged by version {run.Journal.JudgingVersion}; both columns are judged by "
                    + $"{run.Factory.JudgingVersion}, so that 'recorded' is not what was found then.");
        }

        private void Take(ReadOnlySpan<byte> input)
        {
            var envelope = Envelope.Read(input);
            if (envelope.Kind == InputKind.Sweep)
            {
                var at = ((Sweep)Input.Read(input)).At;
                if (since is { } time && at.Seconds >= time.Seconds) Activate(at);
                _fold.See(at);
                _host.Rebuild(input, _said);
                Fold();
                foreach (var outcome in _assumed) _host.Rebuild((outcome with { At = at }).ToBytes(), _said);
                _assumed.Clear();
            }
            else if (text is not null && IsAnswer(envelope.Target.Kind)) Fit(input);
            else _host.Rebuild(input, _said);
            _said.Findings.Clear();
            _said.Publications.Clear();
        }

        private static bool IsAnswer(TwinKind kind) =>
            kind is TwinKind.Case or TwinKind.Desk or TwinKind.Guard or TwinKind.Policy;

        private void Activate(UnixTime at)
        {
            if (text is null || _isInForce) return;
            _isInForce = true;
            _host.Rebuild(new PolicyActivation(at, new Actor("what-if", "what-if"), text).ToBytes(), _said);
        }

        /// <summary>Takes what was said to a case, a guard or the policy, if that can still be said.</summary>
        private void Fit(ReadOnlySpan<byte> input)
        {
            var act = Input.Read(input);
            if (_isInForce && act is PolicyActivation) return;
            // What came before must be in force before it is asked whether this fits.
            _host.EndRebuild(_said);
            Fold();
            var fits = act switch
            {
                ResponseOutcome o => IsOrderedAsRecorded((o.Case, o.IsUndo ? -o.Response : o.Response)),
                ResponseAct { Act: not (ResponseActKind.Propose or ResponseActKind.Quarantine) } a
                    when a.Case.Kind == TwinKind.Case => IsAsRecorded((a.Case, a.Response)),
                _ => true,
            };
            var bytes = input.ToArray();
            if (!fits || (_host.Read<object>(act.Target, twin => twin.Admit(bytes, _recall, Nothing.Stored))
                ?? run.Factory.Create(act.Target).Admit(bytes, _recall, Nothing.Stored))
                is Admission { Status: AdmissionStatus.Rejected })
            {
                LeftOut++;
                return;
            }
            _host.Rebuild(bytes, _said);
        }

        /// <summary>What neither run has seen comes from before the base, and is the same in both.</summary>
        private bool IsAsRecorded((TwinKey Case, int Number) slot) =>
            _names.TryGetValue(slot, out var name) ? recorded!.Has(name) : !recorded!.Knows(slot);

        private bool IsOrderedAsRecorded((TwinKey Case, int Number) slot) =>
            _orders.TryGetValue(slot, out var same) ? same : !recorded!.Ordered(slot);

        private void Fold()
        {
            foreach (var bytes in _said.Ledger)
            {
                var entry = LedgerEntry.Read(bytes);
                _fold.Take(entry);
                if (text is null || entry.Kind is not (LedgerKind.Response or LedgerKind.Order)) continue;
                var r = ResponseRecord.Read(entry.Body);
                var slot = AnswerFold.SlotOf(r);
                _names[slot] = AnswerFold.NameOf(r);
                if (entry.Kind != LedgerKind.Order || (_orders[slot] = recorded!.HasOrder(r))) continue;
                _assumed.Add(new ResponseOutcome(r.Case, r.OrderedAt, r.Number, r.IsUndo, ResponseResult.Done, Gateway,
                    ""));
            }
            _said.Ledger.Clear();
        }
    }
}
