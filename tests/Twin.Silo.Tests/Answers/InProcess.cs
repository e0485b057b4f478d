using System.Text;
using System.Text.Json;
using Twin.Silo.Commands;

namespace Twin.Silo.Tests.Answers;

/// <summary>
/// Verbs in the process of the tests, each with an output of its own: what a verb prints goes to whoever called it,
/// whatever runs beside it.
/// </summary>
internal static class InProcess
{
    private static readonly AsyncLocal<StringWriter?> s_output = new(), s_errors = new();

    static InProcess()
    {
        Console.SetOut(new Router(Console.Out, s_output));
        Console.SetError(new Router(Console.Error, s_errors));
    }

    public static async Task<(int Exit, string Output, string Errors)> Run(params string[] args)
    {
        var (output, errors) = (new StringWriter(), new StringWriter());
        (s_output.Value, s_errors.Value) = (output, errors);
        var exit = await Cli.Run(args);
        (s_output.Value, s_errors.Value) = (null, null);
        return (exit, output.ToString(), errors.ToString());
    }

    /// <summary>Must end well; what it printed.</summary>
    public static async Task<string> Well(params string[] args)
    {
        var (exit, output, errors) = await Run(args);
        Assert.True(exit == 0, $"{string.Join(' ', args)} exits with {exit}: {errors}{output}");
        return output;
    }

    public static async Task<JsonElement> Json(params string[] args) =>
        JsonDocument.Parse(await Well([.. args, "--json"])).RootElement;

    /// <summary>Must end with exit code 2 and one message, which is returned.</summary>
    public static async Task<string> Wrong(params string[] args)
    {
        var (exit, output, errors) = await Run(args);
        Assert.True(exit == Cli.Unusable, $"{string.Join(' ', args)} exits with {exit}: {errors}{output}");
        Assert.Equal("", output);
        Assert.StartsWith("error: ", errors);
        Assert.DoesNotContain("   at ", errors);
        return errors;
    }

    private sealed class Router(TextWriter otherwise, AsyncLocal<StringWriter?> mine) : TextWriter
    {
        private TextWriter To => mine.Value ?? otherwise;

        public override Encoding Encoding => otherwise.Encoding;

        public override void Write(char value)
        {
            lock (To) To.Write(value);
        }

        public override void Write(string? value)
        {
            lock (To) To.Write(value);
        }

        public override void WriteLine(string? value)
        {
            lock (To) To.WriteLine(value);
        }
    }
}
