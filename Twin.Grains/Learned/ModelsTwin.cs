using Twin.Grains.Ledger;
using Twin.Hardware;
using Twin.Hardware.Coding;

namespace Twin.Grains.Learned;

/// <summary>A model as it stands. <paramref name="ShadowSince"/>: when it first came into shadow.</summary>
public sealed record ModelState(ulong Model, ModelStage Stage, UnixTime Since, UnixTime ShadowSince, string By,
    string What);

/// <summary>
/// Which models speak, and whether anybody listens. One twin, so that a promotion is journalled and in the ledger. A
/// model runs in shadow before it counts, and one counts at a time.
/// </summary>
public sealed class ModelsTwin(ulong id) : TwinState(id)
{
    private const byte StateVersion = 1;

    /// <summary>Models remembered; at the bound the oldest that is retired goes, and without one it is
    /// refused.</summary>
    public const int MaxModels = 32;

    /// <summary>Until a model in shadow may be promoted, s.</summary>
    public const long ShadowSeconds = 7 * 86_400;

    private readonly List<ModelState> _models = [];

    /// <summary>In the order in which they came.</summary>
    public IReadOnlyList<ModelState> View => _models;

    /// <exception cref="InvalidDataException">Damaged, or written by a newer version.</exception>
    public static IReadOnlyList<ModelState> From(TwinKey key, ReadOnlySpan<byte> state) => Restore(key.Id, state).View;

    public override Admission Admit(ReadOnlySpan<byte> input, IRecall recall, IAccepted accepted)
    {
        if (Input.Read(input) is not ModelActivation act)
            return Admission.Reject("models: only activations come through this door");
        var known = _models.Find(m => m.Model == act.Model);
        var reason = act.Refusal() ?? act.Stage switch
        {
            ModelStage.Shadow when known is { Stage: not ModelStage.Retired } => "it is in use already",
            ModelStage.Shadow when known is null && _models.Count >= MaxModels
                && !_models.Exists(m => m.Stage == ModelStage.Retired) => $"{MaxModels} models are in use; retire one",
            ModelStage.Promoted or ModelStage.Retired when known is null or { Stage: ModelStage.Retired } =>
                "it is not in use; put it in shadow first",
            ModelStage.Promoted when known!.Stage == ModelStage.Promoted => "it is promoted already",
            ModelStage.Promoted when act.At.Seconds - known!.ShadowSince.Seconds < ShadowSeconds =>
                $"it is in shadow since {known.ShadowSince}, and runs there for {ShadowSeconds / 86_400} days first",
            _ => null,
        };
        if (reason is not null) return Admission.Reject($"model {act.Model:x16}: {reason}");
        accepted.Add(input, int.MinValue, long.MinValue, false);
        return Admission.Accept;
    }

    /// <exception cref="InvalidDataException">Damaged, or of a kind that is not known here.</exception>
    public override void Apply(ReadOnlySpan<byte> input, IOutbox outbox)
    {
        if (Input.Read(input) is not ModelActivation act)
            throw new InvalidDataException($"Models cannot apply an input of kind {Envelope.Read(input).Kind}.");
        var at = _models.FindIndex(m => m.Model == act.Model);
        var shadow = act.Stage == ModelStage.Shadow || at < 0 ? act.At : _models[at].ShadowSince;
        if (at >= 0) _models.RemoveAt(at);
        else if (_models.Count >= MaxModels) _models.RemoveAt(_models.FindIndex(m => m.Stage == ModelStage.Retired));
        // One counts at a time: the one before goes on in shadow, to compare.
        for (var i = 0; i < _models.Count && act.Stage == ModelStage.Promoted; i++)
            if (_models[i].Stage == ModelStage.Promoted)
                _models[i] = _models[i] with { Stage = ModelStage.Shadow, Since = act.At };
        _models.Add(new ModelState(act.Model, act.Stage, act.At, shadow, act.By.Person, act.What));
        outbox.Fact(FactKind.Ledger, new LedgerEntry(LedgerKind.Act, act.At, default, input.ToArray()).ToBytes());
    }

    /// <exception cref="InvalidDataException">Nobody writes to this twin.</exception>
    public override void Receive(IInbox inbox, IOutbox outbox)
    {
        if (inbox.Count > 0) throw new InvalidDataException("Models take no messages.");
    }

    public override void Write(ByteWriter to)
    {
        to.Byte(StateVersion);
        to.VarUInt((ulong)_models.Count);
        foreach (var m in _models)
        {
            to.UInt64(m.Model);
            to.Byte((byte)m.Stage);
            to.VarInt(m.Since.Seconds);
            to.VarInt(m.ShadowSince.Seconds);
            to.Text(m.By);
            to.Text(m.What);
        }
    }

    /// <exception cref="InvalidDataException">Damaged, or written by a newer version.</exception>
    public static ModelsTwin Restore(ulong id, ReadOnlySpan<byte> state)
    {
        var r = new ByteReader(state);
        if (r.Byte() is var version && version != StateVersion)
            throw r.Bad($"the models' state has version {version}, this MeterTwin knows {StateVersion}");
        var twin = new ModelsTwin(id);
        var count = r.Count(MaxModels);
        for (var i = 0; i < count; i++)
            twin._models.Add(new ModelState(r.UInt64(),
                (ModelStage)r.Byte((byte)ModelStage.Shadow, (byte)ModelStage.Retired), Input.ReadTime(ref r),
                Input.ReadTime(ref r), r.Text(), r.Text()));
        return r.AtEnd ? twin : throw r.Bad("bytes are left behind the models");
    }
}
