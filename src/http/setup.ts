import { app } from '@azure/functions';

// Bodies of requests and answers go through bit by bit. A function then has to answer whatever happens: of one that throws, the real
// host's caller never hears. `withProblems` sees to that.
app.setup({ enableHttpStream: true });
