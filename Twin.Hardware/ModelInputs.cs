using System.Globalization;
using Twin.Hardware.Coding;

namespace Twin.Hardware;

/// <summary>What may come of a model's opinions.</summary>
public enum ModelStage : byte
{
    /// <summary>They are recorded and move nothing.</summary>
    Shadow = 1,
    /// <summary>They are one more piece of a meter's score.</summary>
    Promoted = 2,
    /// <summary>There are none any more.</summary>
    Retired = 3,
}

/// <summary>
/// From now on a model is in this stage. <paramref name="Model"/>: the first 8 bytes of its SHA-256; the model itself
/// is in no journal, because what it says is.
/// </summary>
public sealed record ModelActivation(UnixTime At, Actor By, ulong Model, ModelStage Stage, string What, string Why)
    : Input(InputKind.ModelActivation)
{
    public static TwinKey Twin => new(TwinKind.Models, 1);
    public override TwinKey Target => Twin;
    protected override void WritePayload(ByteWriter to)
    {
        to.VarInt(At.Seconds);
        By.Write(to);
        to.UInt64(Model);
        to.Byte((byte)Stage);
        to.Text(What);
        to.Text(Why);
    }
    internal static ModelActivation ReadPayload(ref ByteReader r) => new(ReadTime(ref r), Actor.Read(ref r), r.UInt64(),
        (ModelStage)r.Byte((byte)ModelStage.Shadow, (byte)ModelStage.Retired), r.Text(), r.Text());

    /// <summary>Why it cannot be taken; null when it can.</summary>
    public string? Refusal() => By.Refusal() ?? (What.Length > CaseAct.MaxText || Why.Length > CaseAct.MaxText
        ? $"a text has at most {CaseAct.MaxText} characters" : PlainText.Refusal(What, Why));

    public override string Describe() => string.Create(CultureInfo.InvariantCulture,
        $"model {Model:x16} ({What}) is {SnakeCase.Of(Stage)}, by {By}") + (Why.Length > 0 ? $": {Why}" : "");
}

/// <summary>
/// What a model says of a meter on a day, worked out by the host behind the closing of that day and journalled: a
/// replay needs no model. <paramref name="Score"/>: 1 is what one honest home in a hundred reaches, 0 to 3. Once in
/// shadow, always in shadow: <paramref name="IsPromoted"/> is what the model was then.
/// </summary>
public sealed record ModelOpinion(MeterId Meter, UnixTime At, int Day, ulong Model, float Score, bool IsPromoted)
    : Input(InputKind.ModelOpinion)
{
    public const float MaxScore = 3;

    public override TwinKey Target => Meter.Twin;
    protected override void WritePayload(ByteWriter to)
    {
        to.VarInt(At.Seconds);
        to.VarInt(Day);
        to.UInt64(Model);
        to.Single(Score);
        to.Bool(IsPromoted);
    }
    internal static ModelOpinion ReadPayload(MeterId meter, ref ByteReader r) => new(meter, ReadTime(ref r),
        ReadDay(ref r), r.UInt64(), r.Single(), r.Bool());
    public override string Describe() => string.Create(CultureInfo.InvariantCulture,
        $"model {Model:x16} gives day {LocalDay.FormatDate(Day)} {Score:0.00}{(IsPromoted ? "" : " (in shadow)")}");
}
