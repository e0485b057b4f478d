using System.Net;
using System.Net.Http.Headers;
using System.Net.ServerSentEvents;
using Twin.Silo.Tests.Answers;

namespace Twin.Silo.Tests.Api;

/// <summary>Server-sent events.</summary>
public sealed class EventsTests
{
    /// <summary>A listener that waits longer hears nothing any more.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private sealed class Listener(HttpResponseMessage response, IAsyncEnumerator<SseItem<string>> items,
        CancellationTokenSource limit) : IAsyncDisposable
    {
        public static async Task<Listener> Of(ActService service, string who, string? last = null)
        {
            var limit = new CancellationTokenSource(Patience);
            using var request = new HttpRequestMessage(HttpMethod.Get, "/api/v1/events");
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", who);
            if (last is not null) request.Headers.Add("Last-Event-ID", last);
            var response = await service.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead,
                limit.Token);
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
            var stream = await response.Content.ReadAsStreamAsync(limit.Token);
            return new Listener(response, SseParser.Create(stream).EnumerateAsync(limit.Token)
                .GetAsyncEnumerator(limit.Token), limit);
        }

        /// <summary>The next event but status; null when the service has ended the stream.</summary>
        public async Task<SseItem<string>?> Next(string? kind = null)
        {
            while (await items.MoveNextAsync())
                if (kind is null ? items.Current.EventType != "status" : items.Current.EventType == kind)
                    return items.Current;
            return null;
        }

        public async ValueTask DisposeAsync()
        {
            await items.DisposeAsync();
            response.Dispose();
            limit.Dispose();
        }
    }

    [Fact]
    public async Task What_is_done_is_told_and_nothing_is_lost_or_told_twice_when_listening_again()
    {
        using var directory = await AnsweredDirectory.Copy();
        string last;
        var acts = $"/api/v1/cases/{AnsweredDirectory.Case(1)}/acts";
        await using (var service = ActService.Over(directory))
        {
            await using var listener = await Listener.Of(service, "analyst");
            Assert.Contains("\"mode\":\"live\"", (await listener.Next("status"))!.Value.Data,
                StringComparison.Ordinal);
            await service.Do(acts, "analyst", """{"act":"comment","text":"one"}""");
            var told = (await listener.Next("act"))!.Value;
            Assert.Contains("Comment by analyst: one", told.Data, StringComparison.Ordinal);
            last = told.EventId!;
        }
        await using (var restarted = ActService.Over(directory))
        {
            await restarted.Do(acts, "analyst", """{"act":"comment","text":"two"}""");
            await using var again = await Listener.Of(restarted, "analyst", last);
            // The case changed with the act that was heard, and then came the next act.
            var rest = (await again.Next())!.Value;
            Assert.Equal(long.Parse(last) + 1, long.Parse(rest.EventId!));
            Assert.Contains(": two", (await again.Next("act"))!.Value.Data, StringComparison.Ordinal);
            await using var elsewhere = await Listener.Of(restarted, "analyst:R-2", "0");
            await restarted.Do(acts, "analyst", """{"act":"comment","text":"three"}""");
            using (var freeze = await restarted.Send(HttpMethod.Put, "/api/v1/freeze", "operator",
                """{"frozen":true,"why":"all"}""")) await ActService.Good(freeze);
            // Of another region only what holds everywhere is heard.
            var heard = (await elsewhere.Next("act"))!.Value;
            Assert.Contains("freeze by operator", heard.Data, StringComparison.Ordinal);
            using var beyond = await restarted.Send(HttpMethod.Get, "/api/v1/events?after=999999", "analyst", null);
            await ActService.Bad(beyond, 400, "bad_after");
        }
    }

    [Fact]
    public async Task A_service_that_stops_ends_its_streams_at_once()
    {
        using var directory = await AnsweredDirectory.Copy();
        var service = ActService.Over(directory);
        await using var listener = await Listener.Of(service, "analyst");
        await listener.Next("status");
        var stopped = service.DisposeAsync().AsTask();
        try
        {
            while (await listener.Next() is not null) { }
        }
        catch (Exception e) when (e is HttpRequestException or IOException or OperationCanceledException)
        {
            // The client of the service is disposed with it.
        }
        await stopped.WaitAsync(Patience);
    }
}
