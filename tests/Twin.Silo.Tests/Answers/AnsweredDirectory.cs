using Twin.Grains;
using Twin.Grains.Cases;
using Twin.Hardware;

namespace Twin.Silo.Tests.Answers;

/// <summary>
/// A copy of one directory that is made once: cases of MT-1 and MT-2 with writes blocked; at MT-1 a confirmed danger,
/// whose disconnection waits for two persons; a disconnection of MT-2 that billing asked for without an order, held.
/// </summary>
internal sealed class AnsweredDirectory : IDisposable
{
    /// <summary>When the last sweep was.</summary>
    public const long End = AnswerScene.Monday + 3_900;

    private static readonly Lazy<Task<TestDirectory>> s_first = new(Make);

    private readonly TestDirectory _copy = new();

    /// <summary>Path of the copy.</summary>
    public string Path => _copy.Sub("data");

    public string Sub(string name) => _copy.Sub(name);

    /// <summary>Ids of cases and of their responses as people write them.</summary>
    public static string Case(int meter) => CaseSnapshot.IdOf(AnswerScene.Case(meter), 1);
    public static string Held => CaseSnapshot.IdOf(CaseKey.Of(AnswerScene.Meter(2).Twin, Desk.Grid), 1);
    public static string Response(int meter, int number) => CaseSnapshot.IdOf(AnswerScene.Case(meter), number);

    public static async Task<AnsweredDirectory> Copy()
    {
        var first = await s_first.Value;
        var directory = new AnsweredDirectory();
        Directory.CreateDirectory(directory.Path);
        foreach (var file in Directory.GetFiles(first.Sub("data")))
            File.Copy(file, System.IO.Path.Combine(directory.Path, System.IO.Path.GetFileName(file)));
        return directory;
    }

    private static async Task<TestDirectory> Make()
    {
        var directory = new TestDirectory();
        AppDomain.CurrentDomain.ProcessExit += (_, _) => directory.Dispose();
        await using var fleet = await AnswerScene.Make(directory.Sub("data"));
        var at = new UnixTime(AnswerScene.Monday + 600);
        await AnswerScene.Do(fleet, new CommandRequest(AnswerScene.Meter(2), at, AnswerScene.Person("billing"), "B-1",
            ResponseRung.Disconnect, "", "unpaid"));
        await AnswerScene.Do(fleet, new CaseAct(AnswerScene.Case(1), at, AnswerScene.Person("Anna"),
            CaseActKind.ConfirmDangerous, Disposition.None, "", "smoke at the meter"));
        for (var minute = 60; minute <= 65; minute++) await AnswerScene.Sweep(fleet, AnswerScene.Monday + 60 * minute);
        return directory;
    }

    public void Dispose() => _copy.Dispose();
}
